"""The signing keys of a directory, changed by command, whether a server runs in it or not. One that runs follows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from acmx import config
from acmx.bootstrap.create import KEYS
from acmx.bootstrap.database import look
from acmx.bootstrap.new_directory import CONFIG
from acmx.bootstrap.own import own
from acmx.domain.moments import text
from acmx.storage.partnership import partners
from acmx.trust import key_files
from acmx.trust.keys import spoken


class Key(Struct, frozen=True, omit_defaults=True):
    """A key of this system; `signs_for` are the partners for whom it signs, `ends_at` its published end."""

    kid: str
    spoken: str
    signs_for: list[str]
    ends_at: str | None = None


class Keys(Struct, frozen=True):
    """Newest first. `cut_off` are the partners that take none of them: send them the partner file anew."""

    items: list[Key]
    cut_off: list[str]


def keys(directory: Path) -> Keys:
    """Raises Misconfigured."""
    chosen = config.read(directory / CONFIG)
    ours = own(directory, chosen)
    known = look(directory, chosen, partners.every)
    now = int(datetime.now(UTC).timestamp())
    signs_for: dict[str, list[str]] = {}
    held = key_files.load(directory / KEYS)
    kids = {one.key.kid for one in held}
    cut_off = []
    for partner in known:
        ours.hear_held(partner.id, partner.own_keys_there)
        if partner.own_keys_there is not None and not partner.own_keys_there & kids:
            cut_off.append(partner.id)
        else:
            signs_for.setdefault(ours.key_for(partner.id, now).kid, []).append(partner.id)
    return Keys(
        [
            Key(
                one.key.kid,
                spoken(one.key.kid),
                signs_for.get(one.key.kid, []),
                text(one.ends) if one.ends else None,
            )
            for one in held
        ],
        cut_off,
    )


def rotate(directory: Path, overlap: timedelta) -> Keys:
    """Make a new key. The old one is published until the end of the overlap. Raises Misconfigured, OSError."""
    keys(directory)
    key_files.rotate(directory / KEYS, datetime.now(UTC) + overlap)
    return keys(directory)


def revoke(directory: Path, kid: str) -> Keys:
    """End a key at once. Raises NotFound, Misconfigured, OSError."""
    keys(directory)
    key_files.revoke(directory / KEYS, kid, datetime.now(UTC))
    return keys(directory)
