import json
import re

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Reviewed

ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
U0, U1, U2 = (f"sip:officer.{n}@mc.metro-police.example" for n in range(3))
REVIEW = f"POST /requests/{ID}/review"
SCRIPT = ["--reason", "roster", "--yes", "--seen", "1.4"]


@pytest.fixture
def server(logged_on, exchange):
    logged_on.replies[f"GET /requests/{ID}"] = (200, exchange)
    logged_on.replies[REVIEW] = (200, Reviewed(ID, "decided", "partly-approved", 1, 2))
    return logged_on


@pytest.mark.step(12)
@pytest.mark.parametrize(
    ("options", "verdicts", "approved", "declined", "disclosed"),
    [
        (["--approve"], [{"approved": True}], 3, 0, True),
        (["--decline"], [{"approved": False}], 0, 3, False),
        (
            ["--approve", "--user", U0, U1],
            [{"approved": True, "users": [U0, U1]}, {"approved": False}],
            2,
            1,
            True,
        ),
        (
            ["--decline", "--user", U0, "--user", U2],
            [{"approved": False, "users": [U0, U2]}, {"approved": True}],
            1,
            2,
            True,
        ),
    ],
)
def test_a_review_is_over_every_user(server, capsys, options, verdicts, approved, declined, disclosed):
    assert run(["review", ID, *options, *SCRIPT]) == 0
    assert server.asked[-1] == (REVIEW, {"verdicts": verdicts, "reason": "roster", "seen": "1.4"})
    said = capsys.readouterr().err
    assert f"{approved} of 3 users" in said
    assert re.search(rf"^declined +{declined} user", said, re.MULTILINE)
    assert ("mc_system_id, gms" in said) == disclosed
    assert ("kms missing, and marked so" in said) == disclosed
    assert "sip:silva@mc.metro-police.example of mc.metro-police.example" in said


def test_what_was_decided_is_printed_as_json(server, capsys):
    run(["review", ID, "--approve", *SCRIPT, "--json"])
    expected = msgspec.to_builtins(Reviewed(ID, "decided", "partly-approved", 1, 2))
    assert json.loads(capsys.readouterr().out) == expected


def test_versions_that_differ_are_1_and_the_way_on_is_said(server, capsys):
    server.refuses(REVIEW, 412, "versions-differ", seen="2.4")
    assert run(["review", ID, "--approve", *SCRIPT]) == 1
    said = capsys.readouterr().err
    assert "seen: 2.4" in said
    assert "acmx show ID" in said


@pytest.mark.law(9)
@pytest.mark.step(11)
def test_a_person_who_agrees_decides_on_what_was_shown(server, terminal):
    status, out, err = terminal("review", ID, "--approve", "--reason", "roster").end("y\n")
    assert (status, server.asked[-1][1]["seen"]) == (0, "1.4")
    assert "1 approved, 2 declined" in out
    assert "Decide like this? [y/N]" in err


@pytest.mark.law(9)
@pytest.mark.parametrize("typed", ["n\n", "\n", "\x04"])
def test_a_person_who_does_not_agree_decides_nothing(server, terminal, typed):
    status, _, err = terminal("review", ID, "--approve", "--reason", "roster").end(typed)
    assert status == 1
    assert "Nothing was decided." in err
    assert [line for line, _ in server.asked] == [f"GET /requests/{ID}"]
