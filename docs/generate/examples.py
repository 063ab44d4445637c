"""The golden files: what the two systems say to each other and to their ACM clients, exchange by exchange."""

import asyncio
import json
import tempfile
import tomllib
from datetime import timedelta
from pathlib import Path

import msgspec
from docs.generate import jobs
from docs.generate.delivery import Attempt, Files, attempt, changed, deliver
from docs.generate.story import USERS, Story
from docs.generate.systems import FIRE, PASSWORD, POLICE, Clock, Reply, System, two_systems

from acmx.delivery import clockwork
from acmx.domain.acm1 import (
    AccountApprovals,
    ChangeRefusal,
    ClockStanding,
    Component,
    Confirmation,
    Credentials,
    FieldChange,
    Findings,
    Freed,
    Health,
    NewProvisioning,
    PartnerChange,
    PasswordChange,
    ProviderSignIn,
    Removal,
    Session,
    SignIn,
    VouchedPeople,
    VouchedPerson,
)
from acmx.domain.findings import failed, ok, warning
from acmx.flows.partnership import state_partnership
from acmx.storage import subscriptions
from acmx.storage.exchange import outbox
from acmx.storage.subscriptions import Subscription
from acmx.trust.pinned import pinned
from acmx.trust.signatures import body_digest

TEMPLATE = Path(__file__).parents[2] / "examples" / "templates" / "county-fire.toml"
CATALOGUE = Path(__file__).parents[2] / "examples" / "catalogues" / "county-fire.toml"
TERMS = {
    "kinds": ["server-identity"],
    "askers": ["requester", f"sip:watch-officer@{FIRE.system}"],
    "max_open": 100,
    "max_users": 500,
    "max_per_hour": 60,
    "note": "agreement 2026-17, renewed each January",
}
SMALL_LISTS = f"""\
@id("small-lists-with-a-reference")
permit (
  principal == MCSystem::"{POLICE.system}",
  action == Action::"approve",
  resource == Kind::"server-identity"
) when {{ context.users <= 20 && context.referenced }};
"""
URGENT = """\
@id("urgent-ones")
permit (principal, action == Action::"approve", resource == Kind::"server-identity")
when { context.urgency == "urgent" };
"""


def make() -> Files:
    """File name below docs/examples: content, byte for byte."""
    return asyncio.run(_make())


async def _make() -> Files:
    files: Files = {}
    with tempfile.TemporaryDirectory() as folder:
        async with two_systems(Path(folder), Clock()) as (police, fire):
            story = _Examples(files, police, fire)
            await story.onboard()
            await story.approved_by_a_person()
            await story.partly_approved()
            await story.asked_back()
            await story.declined()
            await story.expired()
            await story.withdrawal_overtakes()
            await story.withdrawal_comes_late()
            await story.approved_by_policy()
            await story.given_unasked()
            await story.administration()
            await story.changed_and_taken_back()
            await story.problems()
            await story.refusals()
            await story.operations()
    return files


class _Examples(Story):
    """What happens between them."""

    async def onboard(self) -> None:
        catalogue = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
        new = {"server_identity": catalogue, "incomplete": False}
        await self.watch_officer("PUT", "/server-identities", new, "identities")
        self.keep("new-identities", new)
        self.case.keep("metadata", self.police.own.metadata)
        file = await self.dispatcher("GET", "/partner-file", keep="partner-file")
        await self.watch_officer("POST", "/partners", file)
        await self.dispatcher("POST", "/partners", await self.watch_officer("GET", "/partner-file"))
        self.clock.advance(minutes=10)
        for accepts, other, partner in (
            (self.watch_officer, self.police, POLICE.system),
            (self.dispatcher, self.fire, FIRE.system),
        ):
            kinds = [kind.kind for kind in other.metadata.kinds]
            compared = {"thumbprints": [key.kid for key in other.metadata.keys], "kinds": kinds}
            await accepts("POST", f"/partners/{partner}/acceptance", compared)
            self.keep("acceptance", compared)
        for system in (self.police, self.fire):
            await system.peers.refresh()
        await self.state(self.fire, self.police)
        await self.state(self.police, self.fire, "statement")

    async def state(self, sender: System, receiver: System, keep: str = "") -> None:
        said = state_partnership.statement(
            sender.house, pinned(receiver.own.metadata), self.clock(), "accepted", sender.own.metadata_digest
        )
        signature = sender.sign(said, to=receiver.id, typ="acm-partnership")
        reply = await receiver.hear_statement(sender.certificate, said, signature)
        assert reply.status == 200, reply.body
        if keep:
            self.case.keep(keep, said, signature)
            self.case.keep(f"{keep}-reply", reply.body, reply.signature)

    async def approved_by_a_person(self) -> None:
        self.clock.advance(minutes=20)
        id_ = await self.submit(
            keep="submission",
            users=[*USERS, "tel:+15550100"],
            reference="agreement 2026-17",
            urgency="urgent",
            addressee={"mc_service_id": f"sip:watch-officer@{FIRE.system}"},
            valid_from="2026-11-24T00:00:00Z",
            valid_until="2026-12-24T00:00:00Z",
            expires_at="2026-12-01T00:00:00Z",
            content={"services": ["mcptt", "mcdata"]},
        )
        self.clock.advance(seconds=1)
        await self.to_fire("request", "receipt-stored")
        self.clock.advance(hours=3)
        await self.watch_officer("GET", "/pending", keep="pending")
        await self.watch_officer("GET", f"/requests/{id_}", keep="exchange-pending")
        self.clock.advance(minutes=5)
        await self.review(id_, "as agreed", {"approved": True}, keep="review")
        self.clock.advance(seconds=1)
        await self.to_police("response-approved", "receipt-response")
        self.clock.advance(hours=20)
        await self.dispatcher("GET", "/pending")
        await self.dispatcher("POST", f"/requests/{id_}/retrieval", keep="answer")
        await self.dispatcher("GET", f"/requests/{id_}", keep="exchange-retrieved")
        new = {"template": tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))}
        self.keep("new-template", new)
        place = f"/partners/{FIRE.system}/template"
        self.keep("template", (await self.police.ask("PUT", place, new, who="planner")).body)
        await self.dispatcher("GET", f"/requests/{id_}/documents", keep="documents")
        self.approved = id_

    async def partly_approved(self) -> None:
        id_ = await self.submit()
        await self.to_fire()
        self.clock.advance(minutes=30)
        verdicts = {"approved": True, "users": USERS[:1]}, {"approved": False}
        await self.review(id_, "only the first officer is on duty here", *verdicts)
        await self.to_police("response-partly-approved")

    async def asked_back(self) -> None:
        id_ = await self.submit()
        await self.to_fire()
        self.clock.advance(minutes=10)
        question = {"text": "Which vehicles will the two officers use?"}
        await self.watch_officer("POST", f"/requests/{id_}/questions", question)
        self.keep("question", question)
        await self.to_police("question", "receipt-question")
        self.clock.advance(minutes=10)
        await self.dispatcher("GET", "/pending", keep="pending-answer")
        answer = {"question": 1, "text": "One boat, call sign Neptune"}
        self.keep("answer-given", answer)
        await self.dispatcher("POST", f"/requests/{id_}/answers", answer)
        await self.to_fire("answer", "receipt-answer")
        self.clock.advance(minutes=1)
        await self.watch_officer("GET", f"/requests/{id_}", keep="exchange-asked")
        await self.review(id_, "as agreed", {"approved": True})
        await self.to_police()

    async def declined(self) -> None:
        id_ = await self.submit()
        await self.to_fire()
        self.clock.advance(minutes=30)
        await self.review(id_, "not our incident", {"approved": False})
        await self.to_police("response-declined")

    async def expired(self) -> None:
        expires = self.clock() + timedelta(hours=1)
        await self.submit(expires_at=expires)
        await self.to_fire()
        self.clock.advance(hours=1)
        while await clockwork.tick(self.fire.house, self.fire.store):
            pass
        await self.to_police("response-expired")

    async def withdrawal_overtakes(self) -> None:
        id_ = await self.submit()
        self.late = await attempt(self.police, self.fire)
        self.clock.advance(seconds=30)
        document = {"reason": "the fire is out"}
        await self.dispatcher("POST", f"/requests/{id_}/withdrawal", document, "withdrawal-accepted")
        self.keep("withdrawal", document)
        await self.to_fire("withdrawal", "receipt-withdrawn")

    async def withdrawal_comes_late(self) -> None:
        id_ = await self.submit()
        await self.to_fire()
        await self.review(id_, "as agreed", {"approved": True})
        await self.dispatcher("POST", f"/requests/{id_}/withdrawal", {})
        await self.to_fire("", "receipt-decided")
        await self.to_police()

    async def approved_by_policy(self) -> None:
        desk = Subscription("reviewers", "response-delivered", "mail", "control-room@fire.example", 900_000)
        await self.fire.store.write(lambda tx: subscriptions.replace(tx, [desk]))
        await self.watch_officer("PUT", "/policy", {"text": SMALL_LISTS}, "policy")
        self.keep("policy-input", {"text": SMALL_LISTS})
        id_ = await self.submit(users=["tel:+15550100"], reference="incident 4711")
        await self.to_fire("request-minimal")
        await self.to_police("response-automatic")
        await self.watch_officer("GET", f"/requests/{id_}/explanation", keep="explanation")
        trial = {"text": URGENT, "against": id_}
        self.keep("trial", trial)
        await self.watch_officer("POST", "/policy/trial", trial, "trial-page")
        await self.watch_officer("GET", "/roles", keep="roles")
        await self.watch_officer("PUT", "/policy", {"text": ""})

    async def given_unasked(self) -> None:
        submission = {
            "kind": "server-identity-provision",
            "partner": POLICE.system,
            "purpose": "agreement 2026-17",
            "content": {"services": ["mcptt"]},
        }
        accepted = await self.watch_officer("POST", "/requests", submission)
        self.keep("submission-provision", submission)
        await self.to_police("request-provision")
        self.clock.advance(hours=1)
        seen = (await self.police.ask("GET", f"/requests/{accepted['id']}", who="chief")).body
        self.keep("exchange-given", seen)
        review = {"verdicts": [{"approved": True}], "reason": "thank you", "seen": json.loads(seen)["seen"]}
        await self.asked(self.police, "chief", "POST", f"/requests/{accepted['id']}/review", review, "")
        await self.to_fire("response-provision")
        self.keep("new-provisioning-named", NewProvisioning("push", users=tuple(USERS)))

    async def changed_and_taken_back(self) -> None:
        """Every live grant is told; the first one that waits is kept."""
        catalogue = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
        new = {"server_identity": catalogue | {"kms": f"https://kms-2.{FIRE.system}"}}
        await self.watch_officer("PUT", "/server-identities", new)
        while await clockwork.tick(self.fire.house, self.fire.store):
            pass
        self.clock.advance(seconds=1)
        await self.to_police("update", "receipt-update")
        while await self.fire.store.read(lambda tx: outbox.waits(tx, POLICE.system)):
            await self.to_police()
        given = {"reason": "the second officer has left the force", "users": USERS[1:]}
        await self.watch_officer("POST", f"/requests/{self.approved}/revocation", given, "revoked")
        self.keep("revocation", given)
        self.clock.advance(seconds=1)
        await self.to_police("revocation", "receipt-revocation")
        await self.dispatcher("GET", f"/requests/{self.approved}", keep="exchange-updated")

    async def administration(self) -> None:
        await self.dispatcher("GET", "/requests?limit=2", keep="page")
        two = {"kind": "server-identity", "review": {"approvals": 2}}
        await self.watch_officer("PUT", f"/partners/{POLICE.system}/approvals", two)
        self.keep("approvals", two)
        await self.watch_officer("PUT", f"/partners/{POLICE.system}/terms", TERMS)
        self.keep("terms", TERMS)
        await self.watch_officer("GET", "/partners", keep="partners")
        await self.watch_officer("GET", "/audit?limit=3", keep="audit-page")
        await self.watch_officer("GET", "/server-identities/holders", keep="holders")
        await self.watch_officer("GET", "/notices?limit=3", keep="notice-page")
        await self.fire.ask("GET", "/audit/checkpoint", who="operator")
        for name in ("rows", "checkpoints"):
            reply = await self.fire.ask("GET", f"/audit/{name}?limit=2", who="operator")
            self.keep(f"audit-{name}", reply.body)
        self.keep("checkpoint", (await self.fire.ask("GET", "/audit/checkpoint", who="operator")).body)
        self.keep("checkpoint-text", json.loads(self.files["acm1/checkpoint.json"])["checkpoint"].encode())
        await self.watch_officer("POST", f"/requests/{self.approved}/evidence", keep="evidence")
        restored = {"reason": "restored from the backup of Monday, disk failure"}
        self.keep("acknowledgement", restored)
        reply = await self.fire.ask("POST", "/audit/fork/acknowledgement", restored, who="operator")
        self.keep("acknowledged", reply.body)
        self.keep("purge", {"dry_run": True})
        self.keep("purged", (await self.fire.ask("POST", "/purge", {"dry_run": True}, who="operator")).body)
        new = {
            "name": "deputy",
            "mc_service_id": f"sip:deputy@{FIRE.system}",
            "roles": ["reviewer"],
            "password": PASSWORD,
        }
        reply = await self.fire.ask("POST", "/accounts", new, who="operator")
        self.keep("new-account", new)
        self.keep("account", reply.body)
        self.keep("accounts", (await self.fire.ask("GET", "/accounts?limit=1", who="operator")).body)
        change = {"roles": ["reviewer", "auditor"], "mail": "deputy@fire.example"}
        await self.fire.ask("PATCH", "/accounts/deputy", change, who="operator")
        self.keep("account-change", change)
        await self._two_operators()
        self.keep("password-change", PasswordChange(PASSWORD, "staple battery horse correct"))
        self.keep("standing", (await self.fire.ask("GET", "/session", who="operator")).body)
        issuer = f"https://login.{FIRE.system}"
        told = ProviderSignIn(issuer, "acmx", "openid acm offline_access", f"https://acm.{FIRE.system}")
        self.keep("sign-in", SignIn(FIRE.system, told))
        self.keep("credentials", Credentials("dispatcher", PASSWORD))
        session = Session(
            token="kTq0ZLr7Bqk1o2m1uS0V3yqf8yHhQ6mS0c0d3p7aN1E",  # noqa: S106
            account="dispatcher",
            mc_service_id=f"sip:dispatcher@{POLICE.system}",
            roles=["requester", "partner-administrator"],
            system=POLICE.system,
            ends_at=self.clock() + timedelta(hours=12),
        )
        self.keep("session", session)

    async def _two_operators(self) -> None:
        """The night operator asks, the operator of the day looks at it."""
        night = {
            "name": "night-operator",
            "mc_service_id": f"sip:night-operator@{FIRE.system}",
            "roles": ["operator"],
            "password": PASSWORD,
        }
        await self.fire.ask("POST", "/accounts", night, who="operator")
        await self.fire.log_on("night-operator")
        needed = AccountApprovals(2)
        self.keep("account-approvals", needed)
        reply = await self.fire.ask("PUT", "/account-approvals", msgspec.to_builtins(needed), who="operator")
        self.keep("account-approvals-set", reply.body)
        for roles in (["reviewer"], ["reviewer", "auditor", "operator"]):
            await self.fire.ask("PATCH", "/accounts/deputy", {"roles": roles}, who="night-operator")
        reply = await self.fire.ask("GET", "/account-changes", who="operator")
        self.keep("waiting-changes", reply.body)
        [waiting] = json.loads(reply.body)["items"]
        refusal = ChangeRefusal("she is on leave")
        self.keep("change-refusal", refusal)
        place = f"/account-changes/{waiting['id']}/refusal"
        reply = await self.fire.ask("POST", place, msgspec.to_builtins(refusal), who="operator")
        self.keep("waiting-change", reply.body)
        alice = f"sip:alice@{FIRE.system}"
        issuer = f"https://login.{FIRE.system}"
        person = VouchedPerson(alice, "oidc:7f3a", issuer, ["reviewer"], self.clock())
        self.keep("vouched-people", VouchedPeople([person]))
        self.keep("vouched-person", person)
        self.keep("freed", Freed(alice))

    async def problems(self) -> None:
        """What ACM-1 refuses."""
        usual = {"kind": "server-identity", "partner": FIRE.system, "purpose": "exercise"}
        foreign = usual | {"users": [f"sip:firefighter.1@{FIRE.system}"]}
        faulty = usual | {"users": ["officer.1", USERS[0]], "purpos": "exercise"}
        invalid = usual | {"users": ["officer.1", USERS[0], USERS[0]]}
        review = {"verdicts": [{"approved": False}], "reason": "second thoughts", "seen": "1.1"}
        for name, system, who, path, document in (
            ("not-allowed", self.police, "dispatcher", "/requests", foreign),
            ("unknown-member", self.police, "dispatcher", "/requests", faulty),
            ("invalid-input", self.police, "dispatcher", "/requests", invalid),
            ("outcome-stands", self.fire, "watch-officer", f"/requests/{self.approved}/review", review),
        ):
            reply = await system.ask("POST", path, document, who=who, key=self.key())
            assert reply.status >= 400
            self.keep(f"problem-{name}", reply.body)

    async def refusals(self) -> None:
        """What ACM-2 refuses with a signature: every type that there is."""
        self.clock.advance(minutes=1)
        asked = json.loads(self.files["acm2/request-minimal.json"])
        answered = json.loads(self.files["acm2/response-declined.json"])
        second = (POLICE.system, answered["exchange"], 2)
        decided = changed(self.files["acm2/response-declined.json"], n=2)
        early = await self._early_response()
        place_taken = (POLICE.system, asked["exchange"], 1)
        replies = [
            await self._request(users=["officer.1", *USERS], purpose="two\nlines"),
            await self._request(version="2.0"),
            await self._request(kind="group"),
            await self._request(users=[f"sip:firefighter.1@{FIRE.system}"]),
            await deliver(self.police, self.fire, self._again(self.late)),
            await self._request(primary="mc.coast-guard.example"),
            await self._response(exchange="01a2076b-4400-7000-8000-000000000999"),
            early,
            await self._request(place=place_taken, exchange=asked["exchange"], purpose="something else"),
            await self._say(self.fire, self.police, second, decided),
            await self._request(aud="mc.coast-guard.example"),
            await self._request(ahead=3600),
        ]
        replies.append(await self._beyond(max_users=1, users=USERS))
        replies.append(await self._beyond(max_open=1))
        suspension = {"reason": "maintenance until Monday"}
        await self.watch_officer("POST", f"/partners/{POLICE.system}/suspension", suspension)
        self.keep("suspension", suspension)
        replies.append(await self._request())
        await self.watch_officer("POST", f"/partners/{POLICE.system}/resumption")
        await self.fire.store.close()
        replies.append(await self._request())
        for reply in replies:
            type_ = json.loads(reply.body)["type"].rpartition(":")[2]
            assert f"acm2/refusal-{type_}.json" not in self.files, type_
            self.case.keep(f"refusal-{type_}", reply.body, reply.signature)

    async def operations(self) -> None:
        """How the links and the server are doing; what a real network is needed for is made up."""
        await self.submit()
        await self.dispatcher("GET", "/outbox?limit=1", keep="outbox")
        retry = {"partner": FIRE.system}
        await self.dispatcher("POST", "/outbox/retry", retry, keep="retried")
        self.keep("retry", retry)
        findings = [
            ok("connection", "to 127.0.0.1 port 8442"),
            warning("their certificate", "valid until 2026-12-03, 9 days: renew it"),
            failed(
                "our certificate there",
                "was not accepted, or something cuts the line: Connection reset by peer",
            ),
        ]
        self.keep("findings", Findings(findings))
        hosts = FieldChange("hosts", [POLICE.system], [POLICE.system, f"harbour.{POLICE.system}"])
        change = PartnerChange(
            partner=POLICE.system,
            fields=[hosts],
            seen=body_digest(b"metadata with another host"),
            found_at=self.clock(),
        )
        self.keep("partner-change", change)
        self.keep("confirmation", Confirmation(change.seen or ""))
        now = self.clock()
        clock = ClockStanding(
            now, now, "the clock jumped forward by 1 day, 0:00:00 to 2026-11-25T09:40:00.000Z"
        )
        parts = [Component("delivery", ok=True, of=FIRE.system), Component("clockwork", ok=True)]
        self.keep("removal", Removal("the agreement has ended"))
        self.keep("health", Health(ok=False, version="0.1.0", components=parts, clock=clock))
        self.keep("clock", ClockStanding(now))
        for name, document in jobs.samples(self.approved, now).items():
            self.keep(name, document)

    async def _beyond(self, *, users: list[str] | None = None, **limit: int) -> Reply:
        """A request that the terms of the fire service do not admit."""
        terms = TERMS | limit
        await self.watch_officer("PUT", f"/partners/{POLICE.system}/terms", terms)
        reply = await (self._request(users=users) if users else self._request())
        await self.watch_officer("PUT", f"/partners/{POLICE.system}/terms", TERMS)
        return reply

    def _again(self, sent: Attempt) -> Attempt:
        signature = self.police.sign(sent.message.body, to=self.fire.id, place=sent.place)
        return msgspec.structs.replace(sent, signature=signature)

    async def _request(
        self,
        *,
        primary: str = POLICE.system,
        place: tuple[str, str, int] | None = None,
        aud: str = FIRE.system,
        ahead: int = 0,
        **members: object,
    ) -> Reply:
        place = place or (primary, self.police.house.mint(), 1)
        body = changed(self.files["acm2/request-minimal.json"], **{"exchange": place[1], **members})
        return await self._say(self.police, self.fire, place, body, aud=aud, ahead=ahead)

    async def _response(self, *, exchange: str, **members: object) -> Reply:
        body = changed(self.files["acm2/response-declined.json"], exchange=exchange, **members)
        n = msgspec.json.decode(body)["n"]
        return await self._say(self.fire, self.police, (POLICE.system, exchange, n), body)

    async def _early_response(self) -> Reply:
        """The second message of an exchange whose first has not arrived."""
        id_ = await self.submit()
        sent = await attempt(self.police, self.fire)
        await deliver(self.police, self.fire, sent)
        users = [{"approved": False, "users": USERS}]
        return await self._response(exchange=id_, n=2, answers=sent.message.digest, verdicts=users)

    async def _say(
        self,
        sender: System,
        receiver: System,
        place: tuple[str, str, int],
        body: bytes,
        *,
        aud: str | None = None,
        ahead: int = 0,
    ) -> Reply:
        self.clock.advance(seconds=ahead)
        signature = sender.sign(body, to=aud or receiver.id, place=place)
        self.clock.advance(seconds=-ahead)
        reply = await receiver.hear(sender.certificate, place, body, signature)
        assert reply.status >= 400, reply.body
        return reply
