"""`acmx audit`, `acmx evidence` and `acmx purge`, against replies that real keys signed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Acknowledged, AuditPage, Holder, Holders, JournalEntry
from acmx.domain.records import Checkpoints, Purged, SealedRow, SealedRows
from acmx.trust.keys import SigningKey, spoken
from acmx.trust.own import Own
from acmx.trust.sealing import line, sign_checkpoint
from acmx.trust.tree import Tree, leaf

EVIDENCE = Path(__file__).parents[3] / "docs" / "examples" / "acm1" / "evidence.json"
SYSTEM, AT = "mc.county-fire.example", 1_795_420_800_000
KEY = SigningKey.generate()
OWN = Own(SYSTEM, KEY, b"")


def rows(count=5):
    lines = [line(n, AT + n, "event", "somebody", None, None, "{}") for n in range(1, count + 1)]
    return [SealedRow(n, n, leaf(text).hex(), text.decode()) for n, text in enumerate(lines, 1)]


def signed(sealed):
    tree = Tree()
    for row in sealed:
        tree.append(bytes.fromhex(row.hash))
    return sign_checkpoint(OWN, tree.size, tree.root, AT)


@pytest.fixture
def journal(logged_on):
    """A server with five sealed rows, on two pages, and their checkpoint."""
    sealed = rows()
    logged_on.replies["GET /audit/rows?limit=500"] = (200, SealedRows(sealed[:3], "3"))
    logged_on.replies["GET /audit/rows?after=3&limit=500"] = (200, SealedRows(sealed[3:]))
    logged_on.replies["GET /audit/checkpoints"] = (200, Checkpoints([signed(sealed)]))
    logged_on.replies["GET /audit/checkpoint"] = (200, signed(sealed))
    return logged_on


def test_verify_hashes_the_rows_itself_and_names_the_key(journal, capsys):
    assert run(["audit", "verify"]) == 0
    said = capsys.readouterr().out
    assert "The journal is as it was sealed." in said
    assert spoken(KEY.kid)[:23] in said


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_verify_says_what_is_wrong_where_with_status_1(journal, capsys, options):
    changed = msgspec.structs.replace(rows()[1], line=rows()[1].line.replace("somebody", "nobody"))
    page = SealedRows([rows()[0], changed, rows()[2]], "3")
    journal.replies["GET /audit/rows?limit=500"] = (200, page)
    assert run(["audit", "verify", *options]) == 1
    said = capsys.readouterr().out
    assert "changed" in said
    assert "row 2 (event, 2026-11-23T08:00:00.002Z)" in " ".join(said.split())


def test_verify_against_a_checkpoint_that_was_taken_away(journal, tmp_path, capsys):
    longer = tmp_path / "longer.json"
    longer.write_bytes(msgspec.json.encode(signed(rows(7))))
    assert run(["audit", "verify", "--against", str(longer)]) == 1
    assert "covers 7 rows" in " ".join(capsys.readouterr().out.split())


def test_verify_takes_only_the_keys_that_are_named(journal, capsys):
    assert run(["audit", "verify", "--thumbprint", KEY.kid]) == 0
    assert run(["audit", "verify", "--thumbprint", spoken(KEY.kid)]) == 0
    assert run(["audit", "verify", "--thumbprint", SigningKey.generate().kid]) == 1


def test_a_checkpoint_is_taken_away_and_verified_against(journal, tmp_path, capsys):
    file = tmp_path / "monday.json"
    assert run(["audit", "checkpoint", "-o", str(file)]) == 0
    assert "covers the first 5 rows" in capsys.readouterr().out
    assert run(["audit", "verify", "--against", str(file)]) == 0


def test_an_export_is_the_lines_as_they_are_hashed_and_the_checkpoint(journal, tmp_path):
    file = tmp_path / "journal.jsonl"
    assert run(["audit", "export", "-o", str(file)]) == 0
    *lines, last = file.read_text().splitlines()
    assert lines == [row.line for row in rows()]
    assert json.loads(last)["checkpoint"] == signed(rows()).checkpoint


def test_an_export_goes_to_stdout(journal, capfdbinary):
    assert run(["audit", "export"]) == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == 6


def test_evidence_is_written_and_verified_without_a_server(logged_on, tmp_path, capsys):
    id_ = "01a2076b-4400-7000-8000-000000000001"
    logged_on.replies[f"POST /requests/{id_}/evidence"] = (200, json.loads(EVIDENCE.read_bytes()))
    file = tmp_path / "evidence.json"
    assert run(["evidence", id_, "-o", str(file)]) == 0
    capsys.readouterr()
    logged_on.replies.clear()
    assert run(["evidence", "verify", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["items"]
    kids = [item["text"].rpartition("(")[2].rstrip(")") for item in found if item["name"] == "key"]
    assert len(kids) == 2
    assert run(["evidence", "verify", str(file), "--thumbprint", kids[0], "--thumbprint", kids[1]]) == 0
    assert run(["evidence", "verify", str(file), "--thumbprint", kids[0]]) == 1
    file.write_bytes(file.read_bytes().replace(b"harbour", b"station"))
    assert run(["evidence", "verify", str(file)]) == 1
    assert "was changed after mc.county-fire.example made it" in " ".join(capsys.readouterr().out.split())


def test_a_file_that_is_no_evidence_is_1(home, tmp_path, capsys):
    (tmp_path / "x.json").write_text("{}")
    assert run(["evidence", "verify", str(tmp_path / "x.json")]) == 1


def test_purge_says_what_it_removed_or_would(logged_on, capsys):
    logged_on.replies["POST /purge"] = (200, Purged("2024-11-23T08:00:00Z", 100, 200, 300, 400, False))
    assert run(["purge", "--dry-run"]) == 0
    assert run(["purge"]) == 0
    assert [asked for _, asked in logged_on.asked] == [{"dry_run": True}, {"dry_run": False}]
    would, done = capsys.readouterr().out.splitlines()
    assert "200 bodies and 300 notices of 100 exchanges" in would
    assert "400 rows of provisioning jobs" in would
    assert (would.endswith("would be removed."), done.endswith("are removed.")) == (True, True)


def test_only_what_is_asked_for_is_shown(logged_on, capsys):
    entry = JournalEntry(7, datetime(2026, 11, 23, tzinfo=UTC), "policy-set", "sip:a@b.example")
    logged_on.replies["GET /audit?event=policy-set&actor=sip%3Aa%40b.example"] = (
        200,
        AuditPage([entry], "3"),
    )
    assert run(["audit", "--event", "policy-set", "--actor", "sip:a@b.example"]) == 0
    shown = capsys.readouterr()
    assert "policy-set" in shown.out
    assert "--after 3" in shown.err


def test_who_holds_which_version_is_listed(logged_on, capsys):
    logged_on.replies["GET /server-identities/holders"] = (200, Holders([Holder(SYSTEM, 3, 1200)]))
    assert run(["identities", "holders"]) == 0
    assert "1,200" in capsys.readouterr().out


def forked(*others):
    detail = (
        f'{{"checkpoints": 2, "last": 9, "root": "{"ab" * 32}", "created_at": "2026-11-23T08:00:00.000Z"}}'
    )
    lines = [line(1, AT, "journal-forked", "sealer", None, None, detail), *others]
    return [SealedRow(n, n, leaf(text).hex(), text.decode()) for n, text in enumerate(lines, 1)]


@pytest.mark.parametrize("acknowledged", [False, True])
def test_verify_tells_of_another_history_until_somebody_says_why(logged_on, capsys, acknowledged):
    said_why = line(2, AT, "fork-acknowledged", "sip:o@x", None, None, '{"reason": "disk failure"}')
    sealed = forked(*([said_why] if acknowledged else []))
    logged_on.replies["GET /audit/rows?limit=500"] = (200, SealedRows(sealed))
    logged_on.replies["GET /audit/checkpoints"] = (200, Checkpoints([signed(sealed)]))
    logged_on.replies["GET /audit/checkpoint"] = (200, signed(sealed))
    assert run(["audit", "verify"]) == (0 if acknowledged else 1)
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "2 shipped checkpoints of another history, the last of 2026-11-23T08:00:00.000Z over 9 rows" in said
    )
    assert ("by sip:o@x: disk failure" in said) is acknowledged
    assert ("nobody has said why" in said) is not acknowledged
    assert run(["audit", "verify", "--json"]) == (0 if acknowledged else 1)
    [fork] = json.loads(capsys.readouterr().out)["forks"]
    assert (fork["number"], bool(fork["acknowledged"])) == (1, acknowledged)


def test_text_within_a_row_is_not_taken_for_a_fork(logged_on, capsys):
    actor = '","event":"journal-forked'
    text = line(
        1, AT, "logged-on", actor, None, None, '{"x":{"event":"journal-forked"},"event":"journal-forked"}'
    )
    sealed = [SealedRow(1, 1, leaf(text).hex(), text.decode())]
    logged_on.replies["GET /audit/rows?limit=500"] = (200, SealedRows(sealed))
    logged_on.replies["GET /audit/checkpoints"] = (200, Checkpoints([signed(sealed)]))
    logged_on.replies["GET /audit/checkpoint"] = (200, signed(sealed))
    assert run(["audit", "verify"]) == 0
    assert "another history" not in capsys.readouterr().out


def test_a_file_that_is_no_checkpoint_is_named_and_the_others_are_compared(journal, tmp_path, capsys):
    good, half = tmp_path / "good.json", tmp_path / "half.json"
    content = msgspec.json.encode(signed(rows()))
    good.write_bytes(content)
    half.write_bytes(content[:100])
    assert run(["audit", "verify", "--json", "--against", str(half), str(good)]) == 1
    verdict = json.loads(capsys.readouterr().out)
    [trouble] = verdict["troubles"]
    assert (trouble["wrong"], str(half) in trouble["text"]) == ("checkpoint", True)
    assert verdict["unproven"] == 0


def test_a_fork_is_acknowledged_with_a_reason(logged_on, capsys):
    logged_on.replies["POST /audit/fork/acknowledgement"] = (200, Acknowledged(12))
    assert run(["audit", "acknowledge", "--reason", "disk failure"]) == 0
    assert logged_on.asked == [("POST /audit/fork/acknowledgement", {"reason": "disk failure"})]
    assert capsys.readouterr().out == "12 checkpoints of another history acknowledged.\n"


@pytest.mark.parametrize("line", ["audit checkpoint -o", "audit export -o", "evidence 01 -o"])
def test_what_proves_something_never_replaces_a_file(journal, tmp_path, capsys, line):
    file = tmp_path / "monday.json"
    file.write_text("what was taken away before")
    assert run([*line.split(), str(file)]) == 1
    assert "is not replaced" in capsys.readouterr().err
    assert file.read_text() == "what was taken away before"
    assert journal.asked == []
