import csv
import tomllib
from pathlib import Path

import pytest

from acmx.domain.identities import Realms, faults_in_users
from acmx.domain.server_identity import ServerIdentity, missing, read

EXAMPLES = Path(__file__).parents[2] / "examples"
MISSING = {
    "metro-police": [],
    "county-fire": [],
    "railway-frmcs": [],
    "mcdata-only": [],
    "ipv6-literals": [],
    "incomplete": ["kms"],
}
POLICE = Realms(
    hosts=("ims.mnc001.mcc001.3gppnetwork.org", "mc.metro-police.example"), tel_prefixes=("+1555",)
)


def catalogue(name: str) -> ServerIdentity:
    return read(tomllib.loads((EXAMPLES / "catalogues" / f"{name}.toml").read_text(encoding="utf-8")))


def lines(name: str) -> list[str]:
    text = (EXAMPLES / "users" / name).read_text(encoding="ascii")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_every_catalogue_is_tested_here():
    assert {path.stem for path in (EXAMPLES / "catalogues").iterdir()} == set(MISSING)


@pytest.mark.parametrize(("name", "rows"), MISSING.items())
def test_a_catalogue_is_as_complete_as_it_says(name, rows):
    assert missing(catalogue(name)) == rows


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("metro-police", {"mcptt", "mcvideo", "mcdata"}),
        ("county-fire", {"mcptt", "mcdata"}),
        ("railway-frmcs", {"mcptt", "mcdata"}),
        ("mcdata-only", {"mcdata"}),
        ("ipv6-literals", {"mcptt", "mcvideo", "mcdata"}),
        ("incomplete", {"mcptt"}),
    ],
)
def test_a_catalogue_has_the_services_it_says(name, services):
    identity = catalogue(name)
    present = {s for s in ("mcptt", "mcvideo", "mcdata") if getattr(identity, f"{s}_server") is not None}
    assert present == services


def test_no_two_catalogues_are_of_one_system():
    assert len({catalogue(name).mc_system_id for name in MISSING}) == len(MISSING)


@pytest.mark.parametrize(("name", "count"), [("twenty.txt", 20), ("ten-thousand.txt", 10_000)])
def test_a_user_list_holds_valid_different_users_of_the_police_with_sip_and_tel_identities(name, count):
    users = lines(name)
    assert len(users) == count
    assert faults_in_users(users) == []
    assert POLICE.foreign(users) == []
    assert {user.partition(":")[0] for user in users} == {"sip", "tel"}


def test_the_table_of_users_holds_the_users_of_the_list():
    with (EXAMPLES / "users" / "twenty.csv").open(encoding="ascii", newline="") as table:
        assert [row["mc_service_id"] for row in csv.DictReader(table)] == lines("twenty.txt")
