"""This system changes what it says of itself: what is published next, in the order of its time."""

from datetime import timedelta

import msgspec

from acmx.domain.documents import encode
from acmx.domain.moments import from_ms, to_ms
from acmx.domain.partnership import Metadata
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.partnership import published
from acmx.storage.partnership.published import Published
from acmx.trust.pinned import pinned
from acmx.trust.signatures import body_digest

MILLISECOND = timedelta(milliseconds=1)


def publish(tx: Tx, metadata: Metadata, at: int) -> bytes:
    """The bytes to publish: the last ones where nothing but their time differs. `at` in milliseconds."""
    last = published.latest(tx)
    if last is None:
        return _keep(tx, metadata)
    since = pinned(last.body).metadata.created_at
    if encode(msgspec.structs.replace(metadata, created_at=since)) == last.body:
        return last.body
    created_at = from_ms(at) if since is None else max(from_ms(at), since + MILLISECOND)
    body = _keep(tx, msgspec.structs.replace(metadata, created_at=created_at))
    new = pinned(body)
    journal.write(
        tx,
        at,
        "metadata-published",
        "operator",
        digest=body_digest(body),
        keys=list(new.keys),
        certificates=sorted(new.fingerprints),
    )
    return body


def _keep(tx: Tx, metadata: Metadata) -> bytes:
    body = encode(metadata)
    created_at = to_ms(metadata.created_at) if metadata.created_at else None
    published.insert(tx, Published(body_digest(body), body, created_at))
    return body
