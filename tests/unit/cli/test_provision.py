import json
import tomllib
from datetime import UTC, datetime

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import (
    Documents,
    Entry,
    Identities,
    Provisioning,
    ProvisioningRow,
    ProvisioningRows,
    Provisionings,
    Template,
)
from acmx.provisioning.names import PROFILES
from acmx.provisioning.profile import entry
from acmx.provisioning.xml import write
from support.systems.provisioning import answer, document

FIRE = "mc.county-fire.example"
ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
UE = document(answer(mc_system_id=FIRE))


@pytest.fixture
def documents():
    xml = write(entry(PROFILES["mcptt"], FIRE, UE)).decode()
    return Documents(
        id=ID,
        partner=FIRE,
        catalogue=3,
        template=2,
        name=f"ue-init-config-{FIRE}.xml",
        xml=write(UE).decode(),
        entries=[Entry("mcptt", f"mcptt-user-profile-entry-{FIRE}.xml", xml)],
        users=["sip:alice@a.example", "tel:+15550100"],
        sources={"kms": "answer", "timers": "template"},
    )


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_documents_are_written_and_a_second_run_writes_the_same_bytes(
    logged_on, documents, tmp_path, capsys
):
    logged_on.replies[f"GET /requests/{ID}/documents"] = (200, documents)
    out = tmp_path / "devices"
    assert run(["provision", ID, "--out", str(out)]) == 0
    first = contents(out)
    entry_name = f"mcptt-user-profile-entry-{FIRE}.xml"
    assert sorted(first) == [
        "provisioning.json",
        f"ue-init-config-{FIRE}.xml",
        f"users/sip%3Aalice@a.example/{entry_name}",
        f"users/tel%3A%2B15550100/{entry_name}",
    ]
    assert json.loads(first["provisioning.json"])["sources"] == {"kms": "answer", "timers": "template"}
    said = capsys.readouterr()
    assert "4 files written" in said.err
    assert "template" in said.out
    assert run(["provision", ID, "--out", str(out)]) == 0
    assert contents(out) == first
    ue = out / f"ue-init-config-{FIRE}.xml"
    assert run(["provision", "--check", str(ue)]) == 0


def test_what_is_missing_is_said_and_nothing_is_written(logged_on, tmp_path, capsys):
    faults = [{"field": "kms", "value": "", "rule": "is missing in the partner's answer"}]
    logged_on.refuses(f"GET /requests/{ID}/documents", 422, "not-provisionable", faults=faults)
    out = tmp_path / "devices"
    assert run(["provision", ID, "--out", str(out)]) == 1
    assert "kms: is missing in the partner's answer" in capsys.readouterr().err
    assert not out.exists()


def test_a_document_is_checked_and_every_fault_named(tmp_path, capsys):
    file = tmp_path / "theirs.xml"
    file.write_bytes(write(UE).replace(b"<T100>2<", b"<T100>300<").replace(b"<kms>https:", b"<kms>mailto:"))
    assert run(["provision", "--check", str(file)]) == 1
    said = capsys.readouterr().out
    assert "on-network/Timers/T100: '300' must be a number from 0 to 255" in said
    assert "App-Server-Info/kms" in said
    assert run(["provision", "--check", str(file), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["faults"]) == 2
    file.write_text("<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>")
    assert run(["provision", "--check", str(file)]) == 1
    assert "document type" in capsys.readouterr().out


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        [ID],
        [ID, "--check", __file__],
        ["--push"],
        [ID, "--push", "--out", "x"],
        [ID, "--cancel", "--status"],
    ],
)
def test_what_is_meant_has_to_be_said(tokens, capsys):
    assert run(["provision", *tokens]) == 2
    assert "--check" in capsys.readouterr().err


JOB = Provisioning(
    id="01a206cb-f5c6-77ad-94c0-f9f1f6155a99",
    exchange=ID,
    partner=FIRE,
    mode="push",
    state="running",
    catalogue=3,
    template=2,
    started_at=datetime(2026, 10, 3, 14, 2, 11, tzinfo=UTC),
    started_by="sip:planner@a.example",
    total=3,
    counts={"waiting": 3},
)
JOBS, THIS = f"/requests/{ID}/provisionings", f"/provisionings/{JOB.id}"


def job(**changes):
    return msgspec.structs.replace(JOB, **changes)


@pytest.fixture
def _at_once(monkeypatch):
    monkeypatch.setattr("acmx.cli.provisioning.push.EVERY", 0)


def row(n, state, detail):
    return ProvisioningRow(n, f"sip:u{n}@a.example", "mcptt", state, 1, detail)


def test_a_push_is_started_and_goes_on_by_itself(logged_on, capsys):
    logged_on.replies[f"POST {JOBS}"] = (201, JOB)
    assert run(["provision", ID, "--push", "--rel13"]) == 3
    assert logged_on.asked[-1][1] == {"mode": "push", "rel13": True}
    said = capsys.readouterr()
    assert "--status --watch" in said.err
    assert "3 waiting" in said.out


@pytest.mark.usefixtures("_at_once")
def test_watched_to_its_end_what_was_not_written_is_said(logged_on, capsys):
    logged_on.replies[f"POST {JOBS}"] = (201, JOB)
    counts = {"failed": 25, "written": 2}
    logged_on.replies[f"GET {THIS}"] = (200, job(state="done", counts=counts, total=27))
    page = ProvisioningRows([row(n, "failed", f"no \x1b profile {n}") for n in range(25)])
    logged_on.replies[f"GET {THIS}/rows?state=failed"] = (200, page)
    assert run(["provision", ID, "--push", "--watch"]) == 1
    said = capsys.readouterr()
    assert "25 failed, 2 written" in said.out
    assert "profile 19" in said.out
    assert "profile 20" not in said.out
    assert "\x1b" not in said.out
    assert "There is more, 5" in said.err
    logged_on.replies[f"GET {JOBS}"] = (200, Provisionings([job(state="done", counts=counts)]))
    assert run(["provision", ID, "--status", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 25


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize(
    ("state", "counts", "status"),
    [
        ("done", {"written": 2, "unchanged": 1}, 0),
        ("done", {"different": 3}, 1),
        ("cancelled", {"written": 1, "waiting": 2}, 1),
        ("failed", {"waiting": 3}, 1),
    ],
)
def test_the_exit_status_is_0_only_where_all_is_written(logged_on, state, counts, status, capsys):
    logged_on.replies[f"POST {JOBS}"] = (201, JOB)
    logged_on.replies[f"GET {THIS}"] = (200, job(state=state, counts=counts))
    page = ProvisioningRows([row(1, "different", "new entry")])
    logged_on.replies[f"GET {THIS}/rows?state=different"] = (200, page)
    assert run(["provision", ID, "--preview"]) == status
    assert ("not begun" in capsys.readouterr().err) is ("waiting" in counts)


def test_ctrl_c_leaves_the_job_running_and_says_so(logged_on, monkeypatch, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("acmx.cli.provisioning.push.time.sleep", interrupt)
    logged_on.replies[f"POST {JOBS}"] = (201, JOB)
    assert run(["provision", ID, "--push", "--watch"]) == 130
    assert "the job goes on" in capsys.readouterr().err


def test_the_last_job_is_shown_and_cancelled(logged_on, capsys):
    logged_on.replies[f"GET {JOBS}"] = (200, Provisionings([]))
    assert run(["provision", ID, "--status"]) == 1
    assert "--push" in capsys.readouterr().err
    logged_on.replies[f"GET {JOBS}"] = (
        200,
        Provisionings([job(last_error="the CMS is away"), job(id="old")]),
    )
    assert run(["provision", ID, "--status"]) == 3
    assert "the CMS is away" in capsys.readouterr().out
    cancelled = job(state="cancelled", counts={"waiting": 2, "written": 1})
    logged_on.replies[f"POST {THIS}/cancellation"] = (200, cancelled)
    assert run(["provision", ID, "--cancel"]) == 0
    assert "2 documents were not begun" in capsys.readouterr().err


def test_a_catalogue_is_read_from_a_document(logged_on, tmp_path, capsys):
    file, toml = tmp_path / "ue.xml", tmp_path / "ours.toml"
    file.write_bytes(write(UE))
    assert run(["identities", "import", str(file), "-o", str(toml)]) == 0
    assert tomllib.loads(toml.read_text())["mc_system_id"] == FIRE
    assert "acmx identities set" in capsys.readouterr().err
    logged_on.replies["PUT /server-identities"] = (200, Identities(4, [], {}))
    assert run(["identities", "import", str(file)]) == 0
    assert logged_on.asked[-1][1]["server_identity"] == tomllib.loads(toml.read_text())


def test_what_is_shown_can_be_entered_again(logged_on, tmp_path, capsys):
    held = {"mc_system_id": FIRE, "hplmn": {"plmn": "00102"}}
    logged_on.replies["GET /server-identities"] = (200, Identities(3, ["kms"], held))
    logged_on.replies["PUT /server-identities"] = (200, Identities(4, [], {}))
    assert run(["identities", "show"]) == 0
    file = tmp_path / "shown.toml"
    file.write_text(capsys.readouterr().out)
    assert "# missing: kms" in file.read_text()
    assert run(["identities", "set", str(file)]) == 0
    assert logged_on.asked[-1][1] == {"server_identity": held}


def test_a_template_is_shown_and_set(logged_on, tmp_path, capsys):
    place = f"/partners/{FIRE}/template"
    logged_on.replies[f"GET {place}"] = (200, Template(FIRE, 0, {"timers": {"t100": 2}}))
    logged_on.replies[f"PUT {place}"] = (200, Template(FIRE, 1, {}))
    assert run(["template", "show", FIRE]) == 0
    said = capsys.readouterr().out
    assert "the defaults" in said
    assert tomllib.loads(said) == {"timers": {"t100": 2}}
    file = tmp_path / "template.toml"
    file.write_text('idm_client_id = "acmx"\n')
    assert run(["template", "set", FIRE, str(file)]) == 0
    assert logged_on.asked[-1][1] == {"template": {"idm_client_id": "acmx"}}
