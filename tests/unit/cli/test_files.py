"""Files that a user asked for: whole or not at all, their owner's alone, and nothing else on the disk is touched."""

import os
import stat
from types import SimpleNamespace

import pytest

from acmx.cli import files
from acmx.cli.files import write, write_all, write_lines
from acmx.domain.errors import AcmxError

SECRET = b"to nobody else"
WAYS = {
    "one": write,
    "many": lambda path, content: write_all([(path, content)]),
    "lines": lambda path, content: write_lines(path, content.splitlines()),
}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_a_file_is_its_owner_s_alone_whoever_might_read_the_one_before(tmp_path, way):
    (tmp_path / "out").write_bytes(b"before")
    (tmp_path / "out").chmod(0o644)
    way(tmp_path / "out", SECRET)
    assert (tmp_path / "out").read_bytes().strip() == SECRET
    assert mode(tmp_path / "out") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.usefixtures("open_umask")
def test_what_is_public_has_the_mode_of_any_other_file(tmp_path):
    write(tmp_path / "out", b"for everybody", public=True)
    assert mode(tmp_path / "out") == 0o644


def test_nothing_beside_it_is_followed_or_destroyed(tmp_path, way):
    (tmp_path / "victim").write_bytes(b"mine")
    for name in ("out.partial", ".out.partial", "out.tmp"):
        (tmp_path / name).symlink_to(tmp_path / "victim")
    way(tmp_path / "out", SECRET)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert all((tmp_path / name).is_symlink() for name in ("out.partial", ".out.partial", "out.tmp"))


def test_a_file_of_another_kind_is_refused_and_left(tmp_path, way):
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    for name, kind in (
        ("link", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("fifo", "no file"),
        ("folder", "no file"),
    ):
        with pytest.raises(AcmxError, match=f"{name} is {kind}: name the file"):
            way(tmp_path / name, SECRET)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_what_cannot_be_finished_leaves_the_file_that_was_there(tmp_path):
    def lines():
        yield SECRET
        raise KeyError

    (tmp_path / "out").write_bytes(b"before")
    with pytest.raises(KeyError):
        write_lines(tmp_path / "out", lines())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out", b"before")]


def test_where_nothing_can_be_written_it_is_said(tmp_path, way):
    with pytest.raises(AcmxError, match="cannot be written: No such file"):
        way(tmp_path / "absent" / "out", SECRET)


def test_it_is_durable_before_it_takes_its_place(tmp_path, monkeypatch):
    done = []
    real = files.os

    def fsync(descriptor):
        done.append((tmp_path / "out").exists())
        real.fsync(descriptor)

    monkeypatch.setattr(files, "os", SimpleNamespace(**{**vars(real), "fsync": fsync}))
    write(tmp_path / "out", SECRET)
    assert done == [False]
