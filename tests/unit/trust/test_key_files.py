"""The files of the signing keys: what rotation and revocation leave, also when they were cut off."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acmx.domain.errors import Misconfigured, NotFound
from acmx.trust import key_files
from acmx.trust.keys import SigningKey

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SigningKey.generate().save(tmp_path / "signing.pem")
    return tmp_path


def kids(folder: Path) -> list[str]:
    return [held.key.kid for held in key_files.load(folder)]


def test_a_rotation_keeps_the_old_key_with_its_end(folder):
    (old,) = kids(folder)
    ends = NOW + timedelta(days=30)
    new, replaced = key_files.rotate(folder, ends)
    assert (replaced.key.kid, replaced.ends, new.ends) == (old, ends, None)
    assert kids(folder) == [new.key.kid, old]
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(folder.glob(".*"))


def test_the_keys_come_newest_first(folder):
    order = kids(folder)
    for days in (40, 10, 20):
        order.insert(0, key_files.rotate(folder, NOW + timedelta(days=days))[0].key.kid)
    newest, k3, k2, k1 = order
    assert kids(folder) == [newest, k1, k3, k2]


@pytest.mark.law(12)
def test_a_rotation_that_was_cut_off_changed_nothing_and_can_be_done_again(folder, monkeypatch):
    before = kids(folder)

    def crash(*_args):
        raise OSError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="cut off"):
            key_files.rotate(folder, NOW)
    assert kids(folder) == before
    key_files.rotate(folder, NOW + timedelta(days=1))
    assert kids(folder)[1:] == before
    assert len(list(folder.glob("*.pem"))) == 2


def test_a_revoked_key_is_gone(folder):
    (old,) = kids(folder)
    new = key_files.rotate(folder, NOW)[0].key.kid
    assert [held.key.kid for held in key_files.revoke(folder, old, NOW)] == [new]
    (newest,) = key_files.revoke(folder, new, NOW)
    assert newest.key.kid not in (old, new)
    assert [path.name for path in folder.iterdir()] == ["signing.pem"]
    with pytest.raises(NotFound, match="no key"):
        key_files.revoke(folder, new, NOW)


@pytest.mark.law(12)
def test_a_key_under_the_name_of_another_is_refused(folder):
    held = key_files.rotate(folder, NOW)
    SigningKey.generate().save(folder / f"{'A' * 43}.20270101T000000Z.pem")
    with pytest.raises(Misconfigured, match="holds another key"):
        key_files.load(folder)
    (folder / f"{'A' * 43}.20270101T000000Z.pem").unlink()
    assert len(key_files.load(folder)) == len(held)
