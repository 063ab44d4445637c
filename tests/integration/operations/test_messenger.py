"""What the ledger says is told, whatever stands at the other end: nothing is lost, and a duplicate is known as one."""

import asyncio
import hmac
import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from acmx.config import Notices
from acmx.delivery import supervisor
from acmx.delivery.notices import messenger
from acmx.delivery.notices.webhooks import signature
from acmx.domain.exchange import Event
from acmx.storage import deliveries
from acmx.storage.deliveries import Parcel
from acmx.trust.certificates import self_signed
from support.sinks.sinks import MailSink, mail_sink, receiver
from support.systems.systems import FIRE, POLICE, Clock, eventually, turns
from support.systems.telling import DESK, SECRET, mail_to, telling, webhook_to

AT_ONCE = Notices(bundle_minutes=0, link="https://acm.fire.example")


def text_of(mail: object) -> str:
    return mail.get_content().replace("\r\n", "\n")  # type: ignore[attr-defined, no-any-return]


async def test_an_urgent_request_is_mailed_at_once_without_purpose_user_or_name(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port)) as fire:
        request = await fire.request(urgency="urgent")
        await fire.becomes("sent")
        (mail,) = sink.mails
        assert (mail["From"], mail["To"], sink.recipients) == ("acm@fire.example", DESK, [DESK])
        assert mail["Subject"] == f"URGENT ACM {FIRE}: new request"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Date"].datetime == fire.clock()
        text = text_of(mail)
        for told in (request.id, POLICE, "2026-11-23 08:00 UTC", "2026-12-23 08:00 UTC"):
            assert told in text
        assert "Log on: https://acm.fire.example\n" in text
        for secret in ("flood", "silva", "sip:"):
            assert secret not in bytes(mail).decode()


async def test_what_is_not_urgent_is_gathered_into_one_mail_for_each_recipient(tmp_path: Path) -> None:
    mail = {"reviewers": (DESK, "second@fire.example")}
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port, **mail)) as fire:
        first = await fire.request()
        await fire.later(minutes=10)
        second = await fire.request()
        await fire.later(minutes=4, seconds=59)
        await fire.quiet()
        assert sink.mails == []
        await fire.later(seconds=1)
        await fire.becomes(*["sent"] * 4)
        assert sorted(sink.recipients) == [DESK, "second@fire.example"]
        assert {mail["Subject"] for mail in sink.mails} == {f"ACM {FIRE}: 2 notices"}
        assert all(request.id in text_of(mail) for mail in sink.mails for request in (first, second))
        await fire.request()
        await fire.later(minutes=14)
        await fire.quiet()
        assert len(sink.mails) == 2
        await fire.later(minutes=1)
        await fire.becomes(*["sent"] * 6)


async def test_a_mail_that_was_full_is_followed_by_another(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port)) as fire:
        ids = [(await fire.request()).id for _ in range(130)]
        await fire.later(minutes=15)
        await fire.becomes(*["sent"] * 130)
        texts = [text_of(mail) for mail in sink.mails]
        assert [sum(id_ in text for id_ in ids) for text in texts] == [100, 30]


async def test_a_request_that_is_decided_before_its_mail_leaves_is_not_mailed(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port)) as fire:
        await fire.happens(await fire.request(), Event.REVIEWED)
        await fire.happens(await fire.request(), Event.WITHDRAWAL)
        await fire.later(minutes=15)
        await fire.becomes("dropped", "dropped", "sent")
        assert [mail["Subject"] for mail in sink.mails] == [f"ACM {FIRE}: withdrawn by the partner"]


async def test_the_asker_and_the_addressee_are_written_to_at_their_own_addresses(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        await fire.account("silva", "silva@fire.example")
        await fire.account("okoye", "okoye@fire.example", f"sip:duty@{FIRE},sip:watch@{FIRE}")
        await fire.account("gone", "gone@fire.example", f"sip:duty@{FIRE}", disabled=True)
        await fire.account("mute", None, f"sip:duty@{FIRE}")
        await fire.begun("primary", Event.NOT_AUTHORISED)
        await fire.request(addressee=f"sip:duty@{FIRE}")
        await fire.becomes("sent", "sent", "sent")
        assert sink.recipients == ["silva@fire.example", "okoye@fire.example", DESK]


async def test_who_is_addressed_by_name_and_by_alias_is_written_to_once_each(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        await fire.account("silva", "silva@fire.example")
        await fire.account("okoye", "okoye@fire.example", f"sip:duty@{FIRE}")
        await fire.account("nobody", "nobody@fire.example", f"sip:watch@{FIRE}")
        await fire.request(addressee=f"sip:silva@{FIRE}", addressee_alias=f"sip:duty@{FIRE}")
        await fire.request(addressee=f"sip:okoye@{FIRE}", addressee_alias=f"sip:duty@{FIRE}")
        await fire.becomes(*["sent"] * 5)
        assert sorted(sink.recipients) == [DESK, "okoye@fire.example", "silva@fire.example"]


@pytest.mark.parametrize("change", ["refuse", "content"])
async def test_a_refused_recipient_fails_alone_and_for_good(change: str, tmp_path: Path) -> None:
    mail = {"reviewers": ("gone@fire.example", DESK) if change == "refuse" else (DESK,)}
    async with (
        mail_sink() as sink,
        telling(tmp_path, mail_to(sink.port, **mail), notices=AT_ONCE) as fire,
    ):
        if change == "refuse":
            sink.refuse["gone@fire.example"] = "550 no such user"
        else:
            sink.content = "554 not this"
        await fire.request()
        await fire.becomes("failed", *(["sent"] if change == "refuse" else []))
        error = (await fire.notices())[0].tellings[0].last_error
        assert error
        assert ("no such user" if change == "refuse" else "not this") in error
        await fire.later(hours=1)
        await fire.quiet()
        assert len(sink.mails) == (change == "refuse")


async def test_a_recipient_that_is_put_off_delays_nobody_and_is_tried_again(tmp_path: Path) -> None:
    mail = {"reviewers": ("grey@fire.example", DESK)}
    async with (
        mail_sink() as sink,
        telling(tmp_path, mail_to(sink.port, **mail), notices=AT_ONCE) as fire,
    ):
        sink.refuse["grey@fire.example"] = "451 come again"
        await fire.request()
        await fire.becomes("waiting", "sent")
        await fire.quiet()
        assert sink.came == 2
        sink.refuse.clear()
        await fire.later(seconds=1)
        await fire.becomes("sent", "sent")


async def test_a_mail_server_that_is_away_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    async with mail_sink() as sink:
        pass
    async with telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        await fire.request()
        await fire.attempts(1)
        await fire.request()
        await fire.later(hours=3)
        await fire.attempts(2)
        assert sink.mails == []
        async with mail_sink(sink):
            await fire.later(minutes=15)
            await fire.becomes("sent", "sent")
        assert len(set(sink.ids)) == 2


async def test_a_mail_server_that_says_nothing_is_left_and_tried_again(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        sink.silent = True
        await fire.request()
        await fire.attempts(1)
        (notice,) = await fire.notices()
        assert "Timeout" in (notice.tellings[0].last_error or "")
        sink.silent = False
        await fire.later(seconds=1)
        await fire.becomes("sent")


async def test_a_mail_taken_by_a_server_that_did_not_say_so_is_sent_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        sink.break_off = True
        first = await fire.request()
        await fire.attempts(1)
        second = await fire.request()
        sink.break_off = False
        await fire.later(seconds=1)
        await fire.becomes("sent", "sent")
        assert len(sink.mails) == 3
        once, *again = (mail for mail in sink.mails if first.id in text_of(mail))
        assert [mail["Message-ID"] for mail in again] == [once["Message-ID"]]
        assert text_of(again[0]) == text_of(once)
        assert [second.id in text_of(mail) for mail in sink.mails].count(True) == 1


@pytest.mark.law(1)
async def test_a_crash_between_sending_and_recording_gives_one_duplicate_and_no_loss(tmp_path: Path) -> None:
    clock = Clock()
    async with mail_sink() as sink:
        async with telling(tmp_path, mail_to(sink.port), notices=AT_ONCE, clock=clock) as fire:

            def crash(*_: object, **__: object) -> None:
                raise KeyError

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(deliveries, "sent", crash)
                await fire.request()
                await eventually(lambda: sink.mails, bool)
                await fire.quiet()
        async with telling(tmp_path, mail_to(sink.port), notices=AT_ONCE, clock=clock) as fire:
            await fire.quiet()
            assert len(sink.mails) == 1
            await fire.later(minutes=2)
            await fire.becomes("sent")
            await fire.later(days=1)
            await fire.quiet()
        assert len(sink.mails) == 2
        assert len(set(sink.ids)) == 1


async def test_two_messengers_on_one_ledger_send_everything_once(tmp_path: Path) -> None:
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as one:
        async with telling(tmp_path, mail_to(sink.port), notices=AT_ONCE, clock=one.clock) as other:
            for n in range(20):
                await (one, other)[n % 2].request(id=f"01890000-0000-7000-9000-{n:012x}")
                await other.later()
            await one.becomes(*["sent"] * 20)
        told = [mail for mail in sink.mails for n in range(20) if f"9000-{n:012x}" in text_of(mail)]
        assert len(told) == 20


async def test_what_could_not_be_sent_for_three_days_has_failed(tmp_path: Path) -> None:
    async with mail_sink() as sink:
        pass
    async with telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        await fire.request()
        await fire.attempts(1)
        await fire.later(days=2, hours=23)
        await fire.attempts(2)
        await fire.becomes("waiting")
        await fire.later(hours=2)
        await fire.becomes("failed")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("mode", ["starttls", "tls"])
def test_mail_goes_by_tls_with_log_on_and_only_to_a_server_that_can_be_believed(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = tmp_path / "sink.pem", tmp_path / "sink.key"
    for path, content in zip(
        (certificate, key), self_signed("sink", ["127.0.0.1"], now=datetime.now(UTC), days=2), strict=True
    ):
        path.write_bytes(content)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    async def scenario() -> None:
        sink = MailSink()
        how = {"tls_context": tls, "require_starttls": True} if mode == "starttls" else {}
        log_on = {
            "authenticator": sink.authenticate,
            "auth_required": True,
            "auth_require_tls": mode == "starttls",
        }
        async with mail_sink(sink, tls=tls if mode == "tls" else None, **how, **log_on):
            mail = mail_to(sink.port, tls=mode, user="acm", password="the password")
            async with telling(tmp_path, mail, notices=AT_ONCE) as fire:
                await fire.request()
                await fire.attempts(1)
                assert sink.log_ons == []
                monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
                await fire.later(seconds=1)
                await fire.becomes("sent")
                assert sink.log_ons == [(b"acm", b"the password")]

    asyncio.run(scenario())
    assert "the password" not in "".join(capsys.readouterr())


async def test_a_webhook_carries_what_happened_and_nothing_personal_signed(tmp_path: Path) -> None:
    async with receiver() as hook, telling(tmp_path, webhooks=[webhook_to(hook.url)]) as fire:
        request = await fire.request()
        await fire.becomes("sent")
        (told,) = hook.told
        (telling_,) = (await fire.notices())[0].tellings
        assert told == {
            "id": telling_.parcel,
            "system": FIRE,
            "event": "request",
            "audience": "reviewers",
            "exchange": request.id,
            "primary": POLICE,
            "partner": POLICE,
            "urgency": "normal",
            "at": "2026-11-23T08:00:00Z",
            "expires_at": "2026-12-23T08:00:00Z",
            "link": "https://acm.fire.example",
        }
        at, _, mac = hook.signatures[0].partition(",v1=")
        assert at == f"t={int(fire.clock().timestamp())}"
        assert mac == hmac.new(SECRET, at[2:].encode() + b"." + hook.bodies[0], sha256).hexdigest()
        assert telling_.recipient == hook.url.removesuffix("/hook")


@pytest.mark.parametrize("changed", ["body", "time", "secret"])
def test_a_signature_holds_for_one_body_time_and_secret(changed: str) -> None:
    other = {
        "body": signature(SECRET, b"other", 1),
        "time": signature(SECRET, b"body", 2),
        "secret": signature(b"other", b"body", 1),
    }
    mac = [text.partition("v1=")[2] for text in (signature(SECRET, b"body", 1), other[changed])]
    assert mac[0] != mac[1]


@pytest.mark.parametrize("answer", [500, 404, 302, 199 + 105, "slow", "close"])
async def test_only_2xx_counts_and_all_else_is_tried_again_with_the_same_body(
    answer: int | str, tmp_path: Path
) -> None:
    async with receiver() as hook, telling(tmp_path, webhooks=[webhook_to(hook.url)]) as fire:
        hook.answers = [answer]
        await fire.request()
        await fire.attempts(1)
        await fire.quiet()
        assert len(hook.bodies) == 1
        await fire.later(seconds=1)
        await fire.becomes("sent")
        assert len(hook.bodies) == 2
        assert hook.bodies[0] == hook.bodies[1]
        assert hook.elsewhere == 0


async def test_a_receiver_that_fails_delays_neither_another_nor_the_mail(tmp_path: Path) -> None:
    async with mail_sink() as sink, receiver() as bad, receiver() as good:
        bad.answers = ["slow"] * 50
        hooks = [webhook_to(bad.url, "bad"), webhook_to(good.url, "good")]
        async with telling(tmp_path, mail_to(sink.port), hooks, notices=AT_ONCE) as fire:
            for _ in range(5):
                await fire.request()
            await eventually(lambda: len(good.bodies), lambda n: n == 5, within=1.5)
            await eventually(fire.ledger, lambda rows: sum(row[3] == "sent" for row in rows) == 10)
            assert len(bad.bodies) <= 1


async def test_a_failing_receiver_is_asked_less_and_less_whatever_happens_meanwhile(tmp_path: Path) -> None:
    async with receiver() as hook, telling(tmp_path, webhooks=[webhook_to(hook.url)]) as fire:
        hook.answers = [500] * 100
        for _ in range(60):
            await fire.request()
            await fire.later(seconds=1)
            await fire.quiet()
        assert 4 <= len(hook.bodies) <= 8


async def test_what_waits_for_a_channel_that_is_gone_is_dropped_and_seen(tmp_path: Path) -> None:
    clock = Clock()
    async with receiver() as hook:
        hook.answers = [500]
        async with telling(tmp_path, webhooks=[webhook_to(hook.url)], clock=clock) as fire:
            await fire.request()
            await fire.attempts(1)
        async with telling(tmp_path, clock=clock) as fire:
            (notice,) = await fire.notices()
            assert notice.tellings[0].state == "dropped"
            assert notice.tellings[0].last_error == "the channel is no longer configured"


@pytest.mark.law(6)
async def test_a_ledger_that_cannot_be_read_makes_the_messenger_stumble_and_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", timedelta(milliseconds=20))

    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port), notices=AT_ONCE) as fire:
        (loop,) = fire.supervisor.loops
        assert (loop.component, loop.of) == ("messenger", "mail")

        def fails(*_: object, **__: object) -> None:
            raise KeyError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deliveries, "next_moment", fails)
            await fire.request()
            await eventually(lambda: loop.trouble, bool)
        await fire.becomes("sent")
        await eventually(lambda: loop.trouble, lambda trouble: trouble is None)


async def test_a_target_that_never_ends_is_left_and_is_no_fault_of_the_messenger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "DELIVERED_WITHIN", 0.05)

    async with telling(tmp_path, mail_to(1), notices=AT_ONCE) as fire:

        async def never(_: Parcel) -> None:
            await asyncio.Event().wait()

        fire.channels[0].deliver = never  # type: ignore[method-assign]
        await fire.request()
        await fire.attempts(1)
        (loop,) = fire.supervisor.loops
        assert loop.trouble is None
        ((*_, error),) = await fire.store.read(lambda tx: list(tx.rows("SELECT last_error FROM telling")))
        assert error == "takes too long"


@pytest.mark.parametrize(("grace", "state"), [(5.0, "sent"), (0.01, "waiting")])
async def test_what_is_on_its_way_at_the_stop_may_arrive_within_the_grace(
    grace: float, state: str, tmp_path: Path
) -> None:
    async with telling(tmp_path, mail_to(1), notices=AT_ONCE) as fire:
        began, arrive = asyncio.Event(), asyncio.Event()

        async def slow(_: Parcel) -> None:
            began.set()
            await arrive.wait()

        fire.channels[0].deliver = slow  # type: ignore[method-assign]
        await fire.request()
        await began.wait()
        finish = asyncio.create_task(fire.messenger.finish(grace))
        if state == "sent":
            await turns(20)
            assert not finish.done()
            arrive.set()
            await finish
            await fire.request()
            await turns(20)
        await finish
        await fire.supervisor.stop()
        expected = [state, "waiting"] if state == "sent" else [state]
        assert [row[3] for row in await fire.ledger()] == expected
