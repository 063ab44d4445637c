"""A new directory: whole or not at all, and nobody else's is taken."""

import stat

import pytest

from acmx.bootstrap.new_directory import new_directory
from acmx.domain.errors import AlreadyThere


@pytest.fixture
def there(tmp_path):
    """An empty directory that somebody made."""
    directory = tmp_path / "acm"
    directory.mkdir(mode=0o755)
    return directory


def names(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_an_empty_directory_is_taken_and_made_private(there):
    before = there.stat().st_ino
    with new_directory(there) as draft:
        (draft / "keys").mkdir()
        (draft / "keys" / "x").touch()
        (draft / "config.toml").touch()
    assert stat.S_IMODE(there.stat().st_mode) == 0o700
    assert names(there) == {"keys", "keys/x", "config.toml"}
    assert there.stat().st_ino == before, "a mount point cannot be replaced"


def test_beside_an_empty_directory_nothing_is_made(there):
    """Its owner may have no right to: /var/lib belongs to root."""
    with new_directory(there) as draft:
        (draft / "x").touch()
        assert [path.name for path in there.parent.iterdir()] == ["acm"]


def test_the_configuration_comes_last(there, monkeypatch):
    came = []
    rename = type(there).rename
    monkeypatch.setattr(type(there), "rename", lambda self, to: (came.append(to.name), rename(self, to)))
    with new_directory(there) as draft:
        for name in ("acmx.db", "config.toml", "tls"):
            (draft / name).touch()
    assert set(came) == {"acmx.db", "config.toml", "tls"}
    assert came[-1] == "config.toml"


@pytest.mark.parametrize("there_before", [True, False])
def test_what_is_not_finished_leaves_nothing(tmp_path, there_before):
    directory = tmp_path / "acm"
    if there_before:
        directory.mkdir()

    def make():
        with new_directory(directory) as draft:
            (draft / "x").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make()
    assert names(tmp_path) == ({"acm"} if there_before else set())


@pytest.mark.law(12)
@pytest.mark.parametrize(
    ("there_before", "error"),
    [(True, pytest.raises(AlreadyThere)), (False, pytest.raises(OSError, match="not empty"))],
)
def test_a_directory_that_was_filled_meanwhile_is_not_replaced(tmp_path, there_before, error):
    directory = tmp_path / "acm"
    if there_before:
        directory.mkdir()

    def make():
        with new_directory(directory) as draft:
            (draft / "theirs").write_text("ours")
            directory.mkdir(exist_ok=True)
            (directory / "theirs").write_text("theirs")

    with error:
        make()
    assert names(tmp_path) == {"acm", "acm/theirs"}
    assert (directory / "theirs").read_text() == "theirs"
