import json

import pytest

from acmx.bootstrap.create import Settings, create
from acmx.cli.main import run
from acmx.domain.acm1 import FieldChange, PartnerChange
from support.systems.shown import partner_shown

POLICE, SEEN = "mc.metro-police.example", "ab" * 32


@pytest.fixture
def partner():
    return partner_shown(POLICE)


@pytest.fixture
def directory(tmp_path):
    settings = Settings(
        system=POLICE,
        name=POLICE,
        account="admin",
        mc_service_id=f"sip:admin@{POLICE}",
        password="correct horse battery",
        acm1="127.0.0.1:0",
        acm2="127.0.0.1:0",
        acm2_address="https://127.0.0.1:8442",
    )
    create(tmp_path / "police", settings)
    return str(tmp_path / "police")


def listed(capsys, *line):
    assert run([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_keys_are_rotated_and_revoked(directory, capsys):
    (old,) = listed(capsys, "keys", "list", directory)["items"]
    assert "ends_at" not in old
    new, replaced = listed(capsys, "keys", "rotate", directory, "--overlap-days", "7")["items"]
    assert replaced["kid"] == old["kid"]
    assert "ends_at" in replaced
    assert [key["kid"] for key in listed(capsys, "keys", "revoke", directory, old["kid"])["items"]] == [
        new["kid"]
    ]
    assert run(["keys", "revoke", directory, old["kid"]]) != 0
    assert "no key" in capsys.readouterr().err
    assert run(["keys", "list", directory]) == 0
    assert new["spoken"][:5] in capsys.readouterr().out
    assert run(["keys", "rotate", directory, "--overlap-days", "0"]) == 2
    assert run(["keys", "rotate", directory, "--overlap-days", "3000000"]) == 2


def test_a_certificate_is_published_and_switched_to(directory, capsys, tmp_path):
    uses = [one["use"] for one in listed(capsys, "certificates", "list", directory)["items"]]
    assert uses == ["acm1", "acm2"]
    assert run(["certificates", "switch", directory]) != 0
    assert "certificates next" in capsys.readouterr().err
    _, before, coming = listed(capsys, "certificates", "next", directory)["items"]
    assert run(["certificates", "next", directory]) != 0
    capsys.readouterr()
    _, now, old = listed(capsys, "certificates", "switch", directory)["items"]
    assert (now["fingerprint"], old["fingerprint"]) == (coming["fingerprint"], before["fingerprint"])
    assert run(["certificates", "next", directory, "--certificate", f"{directory}/tls/acm1.pem"]) == 2
    given = ("--certificate", f"{directory}/tls/acm1.pem", "--key", f"{directory}/tls/acm1.key")
    acm1, _, given_next = listed(capsys, "certificates", "next", directory, *given)["items"]
    assert (given_next["use"], given_next["fingerprint"]) == ("acm2 next", acm1["fingerprint"])


def test_a_switch_that_was_cut_off_is_finished_by_another(directory, capsys, tmp_path):
    *_, coming = listed(capsys, "certificates", "next", directory)["items"]
    tls = tmp_path / "police" / "tls"
    (tls / "acm2-next.key").replace(tls / "acm2.key")
    _, now = listed(capsys, "certificates", "switch", directory)["items"]
    assert now["fingerprint"] == coming["fingerprint"]


def test_a_change_is_shown_and_confirmed_as_it_was_seen(logged_on, partner, capsys):
    fields = [FieldChange("hosts", ["a.example"], ["a.example", "b.example"])]
    change = PartnerChange(partner=POLICE, fields=fields, seen=SEEN, fault="not newer")
    logged_on.replies[f"GET /partners/{POLICE}/change"] = (200, change)
    assert run(["partner", "changes", POLICE]) == 0
    said = capsys.readouterr()
    assert "b.example" in said.out
    assert f"--seen {SEEN}" in " ".join(said.err.split())
    assert "not newer" in said.err
    place = f"POST /partners/{POLICE}/change/confirmation"
    logged_on.replies[place] = (200, partner)
    assert run(["partner", "confirm", POLICE, "--seen", SEEN]) == 0
    assert logged_on.asked[-1] == (place, {"seen": SEEN})
    assert run(["partner", "confirm", POLICE]) == 2


def test_where_nothing_waits_that_is_said(logged_on, capsys):
    logged_on.replies[f"GET /partners/{POLICE}/change"] = (200, PartnerChange(partner=POLICE, fields=[]))
    assert run(["partner", "changes", POLICE]) == 0
    assert "Nothing of" in capsys.readouterr().err
