import subprocess
import sys

import pytest

from acmx.bootstrap.doctor import doctor
from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.lock import hold
from acmx.storage.migrations import load
from support.systems.another import another_connection

pytestmark = pytest.mark.sqlite


def found(directory):
    return {finding.name: (finding.status, finding.text) for finding in examine(directory).items}


def failures(directory):
    return {name for name, (status, _) in found(directory).items() if status == "failed"}


@pytest.fixture
def database(directory):
    with_rows = another_connection(directory / "acmx.db")
    yield with_rows
    with_rows.close()


def test_a_fresh_directory_is_well_and_is_left_as_it_is(directory):
    before = (directory / "acmx.db").read_bytes()
    findings = found(directory)
    assert failures(directory) == set()
    assert findings["server"][1] == "does not run"
    assert findings["schema"] == ("ok", str(load()[-1].number))
    assert findings["acm2 certificate"][1].startswith("valid until ")
    assert findings["fsync"][1].endswith(" ms")
    assert {"acmx", "libraries", "SQLite", "disk", "write-ahead log", "clock", "modes"} <= findings.keys()
    assert (directory / "acmx.db").read_bytes() == before


def test_it_needs_no_lock(directory):
    with hold(directory):
        findings = found(directory)
    assert findings["server"][1] == "runs"
    assert findings["database"] == ("ok", "is intact")


def test_a_configuration_that_cannot_be_read_stops_nothing_else(directory):
    (directory / "config.toml").write_text("system = 7")
    assert failures(directory) == {"configuration"}


def test_a_key_that_does_not_fit_its_certificate(directory):
    (directory / "tls" / "acm2.key").write_bytes((directory / "tls" / "acm1.key").read_bytes())
    assert failures(directory) == {"acm2 certificate"}


def test_a_signing_key_that_others_may_read(directory):
    (directory / "keys" / "signing.pem").chmod(0o644)
    status, text = found(directory)["modes"]
    assert (status, text) == ("failed", "others may read keys/signing.pem: chmod 600")


def test_a_missing_signing_key(directory):
    (directory / "keys" / "signing.pem").unlink()
    assert failures(directory) == {"signing key"}


def test_a_damaged_database(directory):
    content = bytearray((directory / "acmx.db").read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    (directory / "acmx.db").write_bytes(content)
    assert "database" in failures(directory)


def test_a_file_that_is_no_database(directory):
    (directory / "acmx.db").write_bytes(b"nothing like it" * 1000)
    assert failures(directory) == {"database"}


@pytest.mark.parametrize(("version", "status"), [(1, "failed"), (999, "failed")])
def test_an_older_and_a_newer_schema(directory, database, version, status):
    database.pragma("user_version", version)
    assert found(directory)["schema"][0] == status


def test_a_clock_in_doubt(directory, database):
    database.execute("INSERT INTO clock_hold (since, reason) VALUES (0, 'it jumped')")
    assert "acmx clock confirm" in found(directory)["clock"][1]
    assert failures(directory) == {"clock"}


def test_a_clock_behind_the_journal(directory, database):
    database.execute("INSERT INTO journal (at, event, actor, detail) VALUES (4102444800000, 'x', 'y', '{}')")
    status, text = found(directory)["clock"]
    assert status == "failed"
    assert text.endswith("the journal was last written at 2100-01-01T00:00:00.000Z")


def test_little_space_and_a_slow_disk(directory, monkeypatch):
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 2**80)
    monkeypatch.setattr(doctor, "SLOW_FSYNC", 0.0)
    findings = found(directory)
    assert (findings["disk"][0], findings["fsync"][0]) == ("warning", "warning")
    monkeypatch.setattr(doctor, "NO_SPACE", 2**80)
    assert failures(directory) == {"disk"}


def test_an_address_that_somebody_else_holds(directory):
    text = (directory / "config.toml").read_text()
    with doctor.socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        (directory / "config.toml").write_text(text.replace("127.0.0.1:0", taken))
        assert failures(directory) == {"ACM-1"}


def test_the_command_says_so_by_its_status(directory):
    line = [sys.executable, "-m", "acmx", "doctor", str(directory)]
    assert subprocess.run(line, check=False, capture_output=True).returncode == 0
    (directory / "keys" / "signing.pem").unlink()
    done = subprocess.run([*line, "--json"], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert '"failed"' in done.stdout


def test_a_policy_of_before_is_named_until_each_rule_names_its_kind(directory, database):
    assert found(directory)["policy"] == ("ok", "version 1, every rule that approves names its kind")
    rule = '@id("small") permit (principal, action == Action::"approve", resource{});'
    insert = "INSERT INTO policy (version, text, set_at, set_by) VALUES (?, ?, 0, '')"
    database.execute(insert, (2, rule.format("")))
    status, words = found(directory)["policy"]
    assert (status, words.partition(":")[0]) == ("warning", "small")
    assert "server-identity and server-identity-provision" in words
    database.execute(insert, (3, rule.format(' == Kind::"server-identity"')))
    assert found(directory)["policy"][0] == "ok"
    database.execute(insert, (4, "permit nothing"))
    assert found(directory)["policy"][0] == "failed"
