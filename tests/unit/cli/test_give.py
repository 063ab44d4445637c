import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Accepted, Documents, Provisioning, Reviewed

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
CONTENT = {"services": ["mcptt"], "server_identity": {"kms": "https://kms.example", "lms": None}}


@pytest.fixture
def given(exchange):
    """What the police gave unasked; it waits for a person of the fire service."""
    changes = {"kind": "server-identity-provision", "user_count": 0, "users": (), "content": CONTENT}
    return msgspec.structs.replace(exchange, disclosed=CONTENT, missing=(), **changes)


def test_what_is_given_names_services_and_no_users(logged_on, capsys):
    logged_on.replies["POST /requests"] = (201, Accepted(ID, "queued"))
    command = ["give", "server-identity", "--partner", POLICE, "--purpose", "agreement 7"]
    assert run([*command, "--service", "mcptt", "--service", "mcdata"]) == 0
    sent = {"kind": "server-identity-provision", "partner": POLICE, "purpose": "agreement 7"}
    assert logged_on.asked[-1][1] == sent | {"content": {"services": ["mcptt", "mcdata"]}}
    assert run(command) == 0
    assert logged_on.asked[-1][1] == sent
    assert f"acmx show {ID}" in capsys.readouterr().out


def test_a_reviewer_reads_what_is_given_before_saying_yes(logged_on, given, capsys):
    logged_on.replies[f"GET /requests/{ID}"] = (200, given)
    logged_on.replies[f"POST /requests/{ID}/review"] = (200, Reviewed(ID, "decided", "approved", 0, 0))
    assert run(["review", ID, "--approve", "--reason", "roster", "--yes", "--seen", "1.0"]) == 0
    said = capsys.readouterr()
    assert "given by" in said.err
    assert "https://kms.example" in said.err
    assert "users" not in said.err
    assert said.out == f"{ID}: approved.\n"


def test_it_is_shown_as_given(logged_on, given, capsys):
    logged_on.replies[f"GET /requests/{ID}"] = (200, given)
    assert run(["show", ID]) == 0
    said = capsys.readouterr().out
    assert "given by" in said
    assert "asked by" not in said
    assert "would disclose" not in said


def test_for_whom_documents_are_written_is_said_here(logged_on, tmp_path, capsys):
    documents = Documents(ID, POLICE, 1, 0, "ue.xml", "<a/>", [], [], {})
    logged_on.replies[f"GET /requests/{ID}/documents"] = (200, documents)
    users = tmp_path / "users.txt"
    users.write_text(f"sip:crew.1@{FIRE}\n")
    out = ["provision", ID, "--out", str(tmp_path / "devices")]
    assert run(out) == 1
    assert "at least one user" in capsys.readouterr().err
    assert run([*out, "--users", str(users), "--user", f"sip:crew.2@{FIRE}"]) == 0
    homes = sorted(path.name for path in (tmp_path / "devices" / "users").iterdir())
    assert homes == [f"sip%3Acrew.{n}@{FIRE}" for n in (1, 2)]
    approved = msgspec.structs.replace(documents, users=[f"sip:crew.1@{FIRE}"])
    logged_on.replies[f"GET /requests/{ID}/documents"] = (200, approved)
    assert run([*out, "--user", f"sip:crew.2@{FIRE}"]) == 1


def test_for_whom_documents_are_pushed_is_said_here_and_not_for_what_is_removed(logged_on, exchange):
    job = Provisioning(
        ID, ID, POLICE, "push", "done", 1, 0, exchange.created_at, "sip:a@b.example", 1, {"written": 1}
    )
    logged_on.replies[f"POST /requests/{ID}/provisionings"] = (201, job)
    assert run(["provision", ID, "--push", "--user", f"sip:crew.1@{FIRE}"]) == 0
    assert logged_on.asked[-1][1] == {"mode": "push", "users": [f"sip:crew.1@{FIRE}"]}
    assert run(["provision", ID, "--remove", "--user", f"sip:crew.1@{FIRE}"]) == 2
