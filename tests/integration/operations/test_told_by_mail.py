"""People of two whole systems are told by mail and webhook; nothing that anybody writes becomes part of a header."""

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.bootstrap.telling import channels
from acmx.config import Config, Mail, Notices
from acmx.delivery.notices.mail import written
from acmx.domain.errors import Misconfigured
from acmx.domain.identities import Realms
from acmx.domain.telling import is_mail_address
from acmx.storage.deliveries import Item, Parcel
from support.sinks.sinks import mail_sink, receiver
from support.systems.systems import FIRE, POLICE, Clock, System, eventually, two_systems
from support.systems.telling import DESK, mail_to, webhook_to

AT_ONCE = Notices(bundle_minutes=0)


def told_by(system: System, **changes: Any) -> None:
    system.config = msgspec.structs.replace(system.config, notices=AT_ONCE, **changes)


@pytest.mark.law(7)
@pytest.mark.step(8, 16)
async def test_the_reviewers_and_the_asker_are_told_whatever_the_outcome(tmp_path: Path) -> None:
    async with (
        mail_sink() as at_police,
        mail_sink() as at_fire,
        receiver() as hook,
        two_systems(tmp_path, start=False) as (police, fire),
    ):
        (fire.directory / "keys" / "hook").write_bytes(b"x" * 32)
        delivered = webhook_to(hook.url, reviewer_events=("response-delivered",))
        delivered = msgspec.structs.replace(delivered, secret_file="keys/hook")
        told_by(police, mail=mail_to(at_police.port))
        told_by(fire, mail=mail_to(at_fire.port), webhooks=(delivered,))
        for system in (police, fire):
            await system.start()
        account = {
            "name": "silva",
            "mc_service_id": f"sip:silva@{POLICE}",
            "roles": ["requester"],
            "password": "long enough for all",
            "mail": "silva@police.example",
        }
        assert (await police.done("POST", "/accounts", account))["mail"] == "silva@police.example"
        credentials = {"account": "silva", "password": "long enough for all"}
        silva = (await police.done("POST", "/sessions", credentials))["token"]
        _, accepted = await police.submit(account=silva)
        await police.reaches(accepted["id"], "stored")
        await fire.review(accepted["id"])
        await police.reaches(accepted["id"], "answered")
        await fire.reaches(accepted["id"], "delivered")
        await eventually(lambda: at_police.recipients == ["silva@police.example"], bool)
        await eventually(lambda: [told["event"] for told in hook.told] == ["response-delivered"], bool)
        (mail,) = at_police.mails
        assert mail["Subject"] == f"ACM {POLICE}: answered"
        assert accepted["id"] in mail.get_content()
        assert set(at_fire.recipients) <= {DESK}

        async def notices() -> Any:
            return (await police.done("GET", "/notices", account="auditor"))["items"]

        (notice,) = await eventually(notices, lambda found: found[0]["tellings"][0]["state"] != "waiting")
        assert notice["event"] == "response"
        assert [(t["channel"], t["recipient"], t["state"]) for t in notice["tellings"]] == [
            ("mail", "silva@police.example", "sent")
        ]
        assert (await police.call("GET", "/notices", account="requester"))[0] == 403


async def test_a_request_that_policy_answers_at_once_calls_nobody(tmp_path: Path) -> None:
    async with mail_sink() as sink, two_systems(tmp_path, start=False) as (police, fire):
        told_by(fire, mail=mail_to(sink.port))
        for system in (police, fire):
            await system.start()
        rule = '@id("all") permit (principal, action == Action::"decline", resource);'
        await fire.done("PUT", "/policy", {"text": rule})
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "answered")
        page = await fire.done("GET", "/notices", account="auditor")
        states = {n["event"]: [t["state"] for t in n.get("tellings", ())] for n in page["items"]}
        assert states["request"] == ["dropped"]
        assert states["decided-by-rule"] == []
        assert sink.mails == []


async def test_whose_account_an_operator_has_changed_is_told_by_mail(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _), mail_sink() as sink:
        told_by(police, mail=mail_to(sink.port))
        await police.start()
        change = {"roles": ["auditor"], "mail": "reviewer@police.example"}
        await police.done("PATCH", "/accounts/reviewer", change, account="operator")
        await eventually(lambda: sink.recipients == ["reviewer@police.example"], bool)
        (mail,) = sink.mails
        assert mail["Subject"] == f"ACM {POLICE}: an operator has changed your account"
        assert "reviewer: changed" in mail.get_content()


async def test_a_mail_address_that_would_be_another_header_is_refused(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        account = {
            "name": "silva",
            "mc_service_id": f"sip:silva@{POLICE}",
            "roles": ["requester"],
            "password": "long enough for all",
            "mail": "silva@police.example\r\nBcc: all@police.example",
        }
        status, problem = await police.call("POST", "/accounts", account)
        assert (status, problem["faults"][0]["field"]) == (422, "mail")


@given(st.text() | st.from_regex(r"[^@]{1,9}@[^@]{1,9}[\r\n ,;<>\"]{0,2}", fullmatch=True))
def test_whatever_is_a_mail_address_is_one_line_without_spaces(text: str) -> None:
    if is_mail_address(text):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' ,;:<>"()[]\\')
        assert text.count("@") == 1


@given(partner=st.text(), id_=st.text(max_size=40))
def test_no_text_of_an_exchange_reaches_a_header(partner: str, id_: str) -> None:
    item = Item(0, "request", "reviewers", POLICE, id_, partner, "normal", None)
    mail = written(Parcel("p", "mail", DESK, 1, [item]), FIRE, "acm@fire.example", "")
    assert [name.lower() for name in mail] == [
        *("from", "to", "subject", "message-id", "auto-submitted"),
        *("content-type", "content-transfer-encoding", "mime-version"),
    ]
    assert mail["Subject"] == f"ACM {FIRE}: new request"


@pytest.mark.parametrize(("content", "rule"), [(None, "No such file"), (b"short", "at least 32 bytes")])
def test_a_secret_that_is_none_stops_the_start(content: bytes | None, rule: str, tmp_path: Path) -> None:
    config = _config(webhooks=(msgspec.structs.replace(webhook_to("https://x"), secret_file="hook"),))
    if content is not None:
        (tmp_path / "hook").write_bytes(content)
    with pytest.raises(Misconfigured, match=rule):
        channels(tmp_path, config, Clock())


def test_the_password_for_mail_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("the password\n")
    (tmp_path / "password").chmod(stat.S_IRUSR)
    config = _config(mail=mail_to(25, user="acm", password_file="password"))
    (channel,) = channels(tmp_path, config, Clock())
    assert channel._password == "the password"  # type: ignore[attr-defined]


def _config(mail: Mail | None = None, **changes: Any) -> Config:
    return Config(system=FIRE, name="Fire", realms=Realms((FIRE,)), mail=mail or Mail(), **changes)
