import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.domain import server_identity
from acmx.domain.errors import FaultyInput, Incomplete, InvalidMessage, UnsupportedKind
from acmx.domain.messages import Handler, Person, Request, Response, Verdict
from acmx.kinds import KINDS, SUPPORTED, kind_named
from acmx.kinds.catalogue import Held

CATALOGUES = Path(__file__).parents[3] / "examples" / "catalogues"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
USERS = (f"sip:officer.1@{POLICE}",)
KIND = kind_named("server-identity")


def request(*services: str, **changes: Any) -> Request:
    return Request(
        version="1.0",
        exchange="01890000-0000-7000-8000-000000000001",
        n=1,
        sender=POLICE,
        receiver=FIRE,
        created_at=NOW,
        kind="server-identity",
        asker=Person(f"sip:chief@{POLICE}"),
        expires_at=NOW,
        users=USERS,
        purpose="flood",
        content={"services": list(services)} if services else {},
        **changes,
    )


def response(content: dict[str, Any]) -> Response:
    return Response(
        version="1.0",
        exchange="01890000-0000-7000-8000-000000000001",
        n=1,
        sender=FIRE,
        receiver=POLICE,
        created_at=NOW,
        answers="0" * 64,
        asker=Person(f"sip:chief@{POLICE}"),
        outcome="approved",
        handler=Handler(f"sip:watch@{FIRE}"),
        decided_at=NOW,
        verdicts=(Verdict(approved=True, users=USERS),),
        content=content,
    )


def held(name: str = "county-fire", version: int = 3) -> Held:
    identity = server_identity.read(tomllib.loads((CATALOGUES / f"{name}.toml").read_text(encoding="utf-8")))
    return Held(version, identity, tuple(server_identity.missing(identity)))


def disclosed(asked: Request, catalogue: Held) -> dict[str, Any]:
    """As it arrives at the other side."""
    arrived: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(KIND.disclosed(asked, catalogue)))
    return arrived


def test_the_kind_is_found_by_its_name_and_no_other_is() -> None:
    assert KINDS["server-identity"] is KIND
    assert [(kind.kind, kind.versions) for kind in SUPPORTED] == [
        ("server-identity", ("1.0",)),
        ("server-identity-provision", ("1.0",)),
    ]
    with pytest.raises(UnsupportedKind):
        kind_named("group-information")


@pytest.mark.parametrize(
    "content", [{}, {"services": ["mcdata"]}, {"services": ["mcvideo", "mcptt", "mcdata"]}]
)
def test_each_wanted_service_is_named_once_or_none_is(content: dict[str, Any]) -> None:
    KIND.validate_request(content, FaultyInput)


@pytest.mark.parametrize(
    "content",
    [
        {"services": []},
        {"services": ["mcptt", "mcptt"]},
        {"services": ["mcfax"]},
        {"services": "mcptt"},
        {"services": None},
        {"service": ["mcptt"]},
    ],
)
def test_a_strange_wish_is_refused_as_asked(content: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage) as refused:
        KIND.validate_request(content, InvalidMessage)
    assert refused.value.faults[0].field.startswith("content")


def test_policy_sees_the_wanted_services_and_all_where_none_is_named() -> None:
    assert KIND.facts(request("mcdata")) == {"services": ["mcdata"]}
    assert KIND.facts(request()) == {"services": ["mcptt", "mcvideo", "mcdata"]}


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ((), ["mcptt", "mcdata"]),
        (("mcdata",), ["mcdata"]),
        (("mcvideo", "mcptt"), ["mcptt"]),
        (("mcvideo",), []),
    ],
)
def test_only_services_that_are_wanted_and_offered_are_disclosed(
    wanted: tuple[str, ...], given: list[str]
) -> None:
    given_away = disclosed(request(*wanted), held())
    servers = {
        name.removesuffix("_server")
        for name in server_identity.SERVICES
        if name in given_away["server_identity"]
    }
    assert given_away["services"] == given
    assert servers == set(given)


def test_everything_else_of_the_current_version_is_disclosed_as_it_was_entered() -> None:
    given_away = disclosed(request(), held(version=7))
    entered = tomllib.loads((CATALOGUES / "county-fire.toml").read_text(encoding="utf-8"))
    assert given_away["catalogue"] == 7
    assert given_away["missing"] == []
    assert given_away["server_identity"] == entered


@pytest.mark.law(14)
def test_without_server_identity_information_nothing_is_disclosed() -> None:
    with pytest.raises(Incomplete):
        KIND.disclosed(request(), None)


@pytest.mark.law(14)
def test_what_is_missing_is_named_to_the_partner() -> None:
    incomplete = held("incomplete")
    assert incomplete.missing
    assert disclosed(request(), incomplete)["missing"] == list(incomplete.missing)


@pytest.mark.parametrize("name", sorted(path.stem for path in CATALOGUES.glob("*.toml")))
@pytest.mark.parametrize("wanted", [(), ("mcptt",), ("mcvideo", "mcdata")])
def test_what_one_side_discloses_the_other_takes(name: str, wanted: tuple[str, ...]) -> None:
    given_away = disclosed(request(*wanted), held(name))
    KIND.validate_response(request(*wanted), response(given_away), InvalidMessage)


def faults_of(content: dict[str, Any], *wanted: str) -> list[str]:
    with pytest.raises(InvalidMessage) as refused:
        KIND.validate_response(request(*wanted), response(content), InvalidMessage)
    return [fault.field for fault in refused.value.faults]


def test_a_service_that_was_not_asked_for_is_refused() -> None:
    assert faults_of(disclosed(request("mcptt", "mcdata"), held()), "mcptt") == ["content.services"]


def test_a_faulty_server_identity_is_refused_row_by_row() -> None:
    content = disclosed(request(), held())
    content["server_identity"] |= {"gms": "ftp://gms.example", "x509": "secret"}
    assert faults_of(content) == ["content.server_identity.gms", "content.server_identity.x509"]


@pytest.mark.law(14)
def test_a_missing_row_that_is_not_named_as_missing_is_refused() -> None:
    content = disclosed(request(), held())
    del content["server_identity"]["kms"]
    assert faults_of(content) == ["content.missing"]
    KIND.validate_response(request(), response(content | {"missing": ["kms"]}), InvalidMessage)


@pytest.mark.parametrize("member", ["services", "catalogue", "missing", "server_identity"])
def test_an_approval_says_all_of_it(member: str) -> None:
    content = disclosed(request(), held())
    del content[member]
    assert faults_of(content) == ["content"]
