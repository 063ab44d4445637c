"""One process a directory."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from acmx.bootstrap.lock import hold
from acmx.domain.errors import DirectoryInUse, Misconfigured

pytestmark = pytest.mark.sqlite


HOLDER = """
import sys
from pathlib import Path
from acmx.bootstrap.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(directory):
    command = [sys.executable, "-c", HOLDER, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        yield other


def test_a_directory_held_by_another_process_is_refused_naming_it(tmp_path):
    with (
        held_by_another(tmp_path) as other,
        pytest.raises(DirectoryInUse, match=rf"held by process {other.pid}\."),
        hold(tmp_path),
    ):
        pass


def test_a_killed_holder_holds_no_longer(tmp_path):
    with held_by_another(tmp_path) as other:
        other.kill()
        other.wait()
        with hold(tmp_path):
            pass


def test_a_directory_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with hold(tmp_path):
            pass


def test_a_refused_process_takes_nothing_from_the_holder(tmp_path):
    with hold(tmp_path):
        for _ in range(2):
            with pytest.raises(DirectoryInUse), hold(tmp_path):
                pass


def test_a_shorter_process_id_leaves_nothing_of_a_longer_one(tmp_path):
    (tmp_path / "lock").write_text("9" * 20)
    with held_by_another(tmp_path) as other:
        assert (tmp_path / "lock").read_text() == str(other.pid)


def test_where_there_is_no_directory_it_is_said(tmp_path):
    with pytest.raises(Misconfigured, match="No such file or directory"), hold(tmp_path / "nowhere"):
        pass
