"""The kind `server-identity-provision`: what the giver's request carries is what an approval would have disclosed."""

from typing import Any

import msgspec
import pytest

from acmx.domain.errors import FaultyInput, Incomplete, InvalidMessage
from acmx.domain.messages import Request
from acmx.flows.acm2.receive_response import _verdict_faults
from acmx.flows.exchange import request_rules
from acmx.kinds import GIVING, kind_named
from unit.kinds.test_server_identity_kind import KIND as ASKED
from unit.kinds.test_server_identity_kind import USERS, disclosed, held, request, response

KIND = kind_named("server-identity-provision")


def content(submitted: dict[str, Any] | None = None, name: str = "county-fire") -> dict[str, Any]:
    """As it arrives at the other side."""
    made = KIND.content_of_request(submitted or {}, held(name))
    arrived: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return arrived


def gift(**changes: Any) -> Request:
    usual = {"kind": KIND.NAME, "users": (), "content": content()}
    return msgspec.structs.replace(request(), **(usual | changes))


def test_it_gives_what_an_approved_request_would_have_disclosed() -> None:
    assert GIVING == (KIND.NAME,)
    assert content({"services": ["mcdata"]}) == disclosed(request("mcdata"), held())
    assert content() == disclosed(request(), held())
    KIND.validate_request(content(), InvalidMessage)


@pytest.mark.law(14)
def test_it_gives_nothing_that_is_not_there() -> None:
    with pytest.raises(Incomplete):
        KIND.content_of_request({}, None)
    with pytest.raises(FaultyInput) as refused:
        KIND.content_of_request({"services": ["mcdata", "mcvideo"]}, held())
    assert [(fault.field, fault.value) for fault in refused.value.faults] == [("content.services", "mcvideo")]


@pytest.mark.parametrize("changes", [{"services": []}, {"services": ["mcptt", "mcptt"]}, {"missing": 1}])
def test_what_is_no_such_content_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        KIND.validate_request(content() | changes, InvalidMessage)


@pytest.mark.law(14)
def test_a_missing_row_must_be_named_as_missing() -> None:
    lacking = content()
    del lacking["server_identity"]["kms"]
    with pytest.raises(InvalidMessage) as refused:
        KIND.validate_request(lacking, InvalidMessage)
    assert [fault.field for fault in refused.value.faults] == ["content.missing"]
    KIND.validate_request(lacking | {"missing": ["kms"]}, InvalidMessage)


def test_the_giver_has_given_with_the_request_and_the_answer_gives_nothing_back() -> None:
    assert KIND.facts(gift(content=content({"services": ["mcdata"]}))) == {"services": ["mcdata"]}
    assert KIND.disclosed(gift(), held()) == {}
    found = KIND.given(gift(), {})
    assert found is not None
    assert found.server_identity == content()["server_identity"]
    assert KIND.given(gift(content={}), {}) is None
    assert ASKED.given(request(), {}) is None
    KIND.validate_response(gift(), response({}), InvalidMessage)
    with pytest.raises(InvalidMessage):
        KIND.validate_response(gift(), response(content()), InvalidMessage)


def test_it_names_no_users_and_whoever_asks_does() -> None:
    assert request_rules.faults(gift()) == []
    assert [fault.field for fault in request_rules.faults(gift(users=USERS))] == ["users"]
    assert [fault.field for fault in request_rules.faults(gift(kind="server-identity"))] == ["users"]


def test_one_verdict_answers_the_whole() -> None:
    [verdict] = response({}).verdicts
    over_nobody = msgspec.structs.replace(verdict, users=())
    once = msgspec.structs.replace(response({}), verdicts=(over_nobody,))
    assert _verdict_faults(gift(), once) == []
    for verdicts in ((), (over_nobody, msgspec.structs.replace(over_nobody, approved=False)), (verdict,)):
        said = msgspec.structs.replace(once, verdicts=verdicts, outcome="partly-approved")
        assert [fault.field for fault in _verdict_faults(gift(), said)][:1] == ["verdicts"]
