"""The pages of the protocol say what the code does: their golden files are replayed, their tables compared."""

import hashlib
import importlib
import inspect
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from docs.generate import journalled, members, rules
from docs.generate.page import DOCS, golden_files, openapi_files, pages
from docs.generate.systems import FIRE, POLICE, Clock, System, call, two_systems
from joserfc.jwk import OKPKey

from acmx.domain import acm1, errors, records
from acmx.domain.comparison import ExchangesPage
from acmx.domain.documents import encode, read
from acmx.domain.errors import AcmxError
from acmx.domain.exchange import Event
from acmx.domain.identities import Realms
from acmx.domain.messages import PROBLEM, AnyMessage, Receipt, Refusal
from acmx.domain.partnership import Metadata, PartnerFile, Statement
from acmx.flows.acm2 import arrivals
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.house import House
from acmx.kinds import KINDS
from acmx.kinds.catalogue import Given, Wanted
from acmx.storage.partnership.partners import Partner
from acmx.trust.keys import SigningKey, public_key
from acmx.trust.signatures import body_digest, verify
from support.systems import systems

EXAMPLES = DOCS / "examples"
PROTOCOL = sorted((DOCS / "protocol").rglob("*.md"))
ACM2 = sorted(path.stem for path in (EXAMPLES / "acm2").glob("*.json"))
SIGNED_EXAMPLES = sorted(path.stem for path in (EXAMPLES / "acm2").glob("*.signature"))


def prose(*pages: Path) -> str:
    return "".join(page.read_text(encoding="utf-8") for page in pages)


def body_of(name: str) -> bytes:
    return (EXAMPLES / "acm2" / f"{name}.json").read_bytes()


def document_of(name: str) -> Any:
    return msgspec.json.decode(body_of(name))


def signature_of(name: str) -> str:
    return (EXAMPLES / "acm2" / f"{name}.signature").read_text().strip()


def made_at(name: str) -> datetime:
    """When the example was signed."""
    protected = signature_of(name).partition(".")[0]
    iat = msgspec.json.decode(urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))["iat"]
    return datetime.fromtimestamp(iat, Clock().now.tzinfo)


# Nothing drifts.


def test_the_pages_are_what_the_code_generates() -> None:
    for path, text in pages(golden_files()).items():
        assert path.read_text(encoding="utf-8") == text, path


def test_every_event_that_is_journalled_is_explained() -> None:
    assert journalled.named_in_code() <= journalled.EVENTS.keys()
    assert {"opened", "purged", "logged-on", "log-on-refused", "refused"} <= journalled.EVENTS.keys()


def test_the_golden_files_are_what_two_systems_say() -> None:
    stored = {
        f"{folder}/{path.name}": path.read_bytes()
        for folder in ("acm1", "acm2")
        for path in (EXAMPLES / folder).iterdir()
    }
    assert stored == golden_files()


def test_every_golden_document_is_named_on_a_page() -> None:
    text = prose(DOCS / "acm1.md", *PROTOCOL)
    named = {f"{folder}/{name}" for folder, name in re.findall(r"examples/(acm[12])\.md#([\w-]+)", text)}
    documents = {name.removesuffix(".json") for name in golden_files() if name.endswith(".json")}
    assert {name for name in documents - named if not name.startswith("acm2/refusal-")} == set()


def test_an_implementer_reads_at_most_1200_lines_besides_the_kinds() -> None:
    besides = [path for path in PROTOCOL if path.parent.name != "kinds"]
    assert len(prose(*besides).splitlines()) <= 1_200


def test_every_kind_has_a_page() -> None:
    assert {path.stem for path in PROTOCOL if path.parent.name == "kinds"} == set(KINDS)


# The golden files are ACM-2.


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ACM2
        if re.match("request|response|withdrawal|question|answer|update|revocation", name)
    ],
)
def test_a_golden_message_is_decoded_strictly_and_encodes_to_the_same_bytes(name: str) -> None:
    body = body_of(name)
    said = msgspec.json.decode(body)
    sender, receiver = (POLICE, FIRE) if said["from"] == POLICE.system else (FIRE, POLICE)
    arrived = Arrived(
        sender.system, primary_of(name), said["exchange"], said["n"], body, body_digest(body), ""
    )
    house = House(receiver.system, Realms(), Clock())
    assert encode(arrivals.decode(house, arrived)) == body


@pytest.mark.parametrize("name", [n for n in ACM2 if re.match("receipt|refusal|statement|metadata", n)])
def test_a_golden_reply_or_statement_encodes_to_the_same_bytes(name: str) -> None:
    kinds = {"receipt": Receipt, "refusal": Refusal, "statement": Statement, "metadata": Metadata}
    kind = kinds[name.partition("-")[0]]
    assert encode(read(body_of(name), kind)) == body_of(name)


@pytest.mark.parametrize("name", SIGNED_EXAMPLES)
def test_a_golden_signature_is_accepted(name: str) -> None:
    said, now = document_of(name), int(made_at(name).timestamp())
    jwk = public_jwk({POLICE.system: POLICE.seed, FIRE.system: FIRE.seed}[said["from"]])
    typ = TYPS.get(name.partition("-")[0], "acm-message")
    primary = primary_of(name)
    place = {} if typ == "acm-partnership" else {"exchange": f"{primary}/{said['exchange']}", "n": said["n"]}
    names = {"iss": said["from"], "aud": said["to"], "typ": typ, **place}
    assert (
        verify(signature_of(name), body_of(name), {jwk["kid"]: public_key(jwk)}, now=now, **names).iat == now
    )


def primary_of(name: str) -> str:
    if name == "refusal-wrong-partner":
        return "mc.coast-guard.example"
    return FIRE.system if name.endswith("-provision") else POLICE.system


TYPS = {"receipt": "acm-receipt", "refusal": "acm-refusal", "statement": "acm-partnership"}


def public_jwk(seed: str) -> dict[str, str]:
    return SigningKey(OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))).public_jwk


def test_the_worked_signature_follows_from_the_printed_key_and_body_by_ed25519_alone() -> None:
    text = prose(DOCS / "protocol" / "signature.md").partition("generated: signature")[2]
    seed, body, digest, protected, signed, signature, field = re.findall(r"```text\n(.*?)\n```", text)[:7]
    assert body.encode() == body_of("request")
    assert hashlib.sha256(body.encode()).hexdigest() == digest
    assert signed == f"{base64url(protected.encode())}.{base64url(body.encode())}"
    key = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(seed + "="))
    assert base64url(key.sign(signed.encode())) == signature
    assert field == f"ACM-Signature: {base64url(protected.encode())}..{signature}"
    assert field == f"ACM-Signature: {signature_of('request')}"


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


# A whole exchange, replayed from the files into fresh systems.


async def befriend(one: System, other: System) -> None:
    metadata = other.own.metadata
    partner = Partner(
        other.id, other.metadata.name, "accepted", "accepted", 0, metadata, body_digest(metadata)
    )
    await one.store.write(lambda tx: systems.befriend(tx, partner))
    await one.peers.refresh()


@pytest.mark.law(2)
@pytest.mark.law(3)
@pytest.mark.step(4, 5)
async def test_the_golden_request_gets_the_golden_receipt_and_its_replay_the_same_body(
    tmp_path: Path,
) -> None:
    clock = Clock(made_at("receipt-stored"))
    async with two_systems(tmp_path, clock) as (police, fire):
        await befriend(fire, police)
        place = (police.id, document_of("request")["exchange"], 1)
        request = (police.certificate, place, body_of("request"), signature_of("request"))
        reply = await fire.hear(*request)
        assert (reply.status, reply.body) == (200, body_of("receipt-stored"))
        assert reply.signature == signature_of("receipt-stored")
        assert reply.headers["content-type"] == "application/json"
        clock.advance(days=3)
        again = await fire.hear(*request)
        assert (again.status, again.body) == (200, body_of("receipt-stored"))
        assert again.signature != reply.signature


@pytest.mark.step(1, 13, 14)
async def test_the_golden_submission_mints_the_golden_request_and_its_response_gets_the_golden_receipt(
    tmp_path: Path,
) -> None:
    clock = Clock(datetime.fromisoformat(document_of("request")["created_at"]))
    async with two_systems(tmp_path, clock) as (police, fire):
        await befriend(police, fire)
        submission = msgspec.json.decode((EXAMPLES / "acm1" / "submission.json").read_bytes())
        accepted = await police.ask("POST", "/requests", submission, who="dispatcher", key="k")
        assert accepted.body == (EXAMPLES / "acm1" / "accepted.json").read_bytes()
        [(minted,)] = await police.store.read(lambda tx: tx.rows("SELECT body FROM message"))
        assert minted == body_of("request")
        clock.now = made_at("receipt-response")
        place = (police.id, document_of("request")["exchange"], 1)
        response = body_of("response-approved"), signature_of("response-approved")
        reply = await police.hear(fire.certificate, place, *response)
        assert (reply.status, reply.body) == (200, body_of("receipt-response"))
        assert reply.signature == signature_of("receipt-response")


async def test_the_golden_withdrawal_of_an_unknown_exchange_is_receipted_withdrawn(tmp_path: Path) -> None:
    clock = Clock(made_at("receipt-withdrawn"))
    async with two_systems(tmp_path, clock) as (police, fire):
        await befriend(fire, police)
        place = (police.id, document_of("withdrawal")["exchange"], document_of("withdrawal")["n"])
        withdrawal = body_of("withdrawal"), signature_of("withdrawal")
        reply = await fire.hear(police.certificate, place, *withdrawal)
        assert (reply.status, reply.body) == (200, body_of("receipt-withdrawn"))


# The golden files are ACM-1.

ACM1: dict[str, type] = {
    "approvals": acm1.Approvals,
    "acceptance": acm1.Acceptance,
    "accepted": acm1.Accepted,
    "account": acm1.Account,
    "account-approvals": acm1.AccountApprovals,
    "account-approvals-set": acm1.AccountApprovalsSet,
    "waiting-change": acm1.WaitingChange,
    "waiting-changes": acm1.WaitingChanges,
    "change-refusal": acm1.ChangeRefusal,
    "vouched-people": acm1.VouchedPeople,
    "vouched-person": acm1.VouchedPerson,
    "freed": acm1.Freed,
    "account-change": acm1.AccountChange,
    "accounts": acm1.Accounts,
    "answer": acm1.Answer,
    "audit-page": acm1.AuditPage,
    "audit-rows": records.SealedRows,
    "audit-checkpoints": records.Checkpoints,
    "checkpoint": records.SignedCheckpoint,
    "checkpoint-text": records.Checkpoint,
    "evidence": records.EvidenceFile,
    "acknowledgement": acm1.Acknowledgement,
    "acknowledged": acm1.Acknowledged,
    "purge": records.PurgeInput,
    "purged": records.Purged,
    "clock": acm1.ClockStanding,
    "confirmation": acm1.Confirmation,
    "partner-change": acm1.PartnerChange,
    "credentials": acm1.Credentials,
    "documents": acm1.Documents,
    "exchange-given": acm1.Exchange,
    "exchange-pending": acm1.Exchange,
    "exchange-retrieved": acm1.Exchange,
    "exchange-updated": acm1.Exchange,
    "revocation": acm1.RevocationInput,
    "revoked": acm1.Revoked,
    "findings": acm1.Findings,
    "health": acm1.Health,
    "holders": acm1.Holders,
    "identities": acm1.Identities,
    "new-account": acm1.NewAccount,
    "notice-page": acm1.NoticePage,
    "new-identities": acm1.NewIdentities,
    "new-template": acm1.NewTemplate,
    "outbox": acm1.OutboxPage,
    "page": acm1.Page,
    "partner-file": PartnerFile,
    "partners": acm1.Partners,
    "exchange-asked": acm1.Exchange,
    "pending": acm1.Pending,
    "pending-answer": acm1.Pending,
    "question": acm1.TextInput,
    "answer-given": acm1.AnswerInput,
    "password-change": acm1.PasswordChange,
    "policy": acm1.Policy,
    "policy-input": acm1.PolicyInput,
    "explanation": acm1.Explanation,
    "trial": acm1.Trial,
    "trial-page": acm1.TrialPage,
    "roles": acm1.Roles,
    "removal": acm1.Removal,
    "retried": acm1.Retried,
    "retry": acm1.Retry,
    "review": acm1.Review,
    "reviewed": acm1.Reviewed,
    "session": acm1.Session,
    "sign-in": acm1.SignIn,
    "standing": acm1.Standing,
    "submission-provision": acm1.Submission,
    "submission": acm1.Submission,
    "suspension": acm1.Suspension,
    "terms": acm1.Terms,
    "new-provisioning": acm1.NewProvisioning,
    "new-provisioning-named": acm1.NewProvisioning,
    "provisioning": acm1.Provisioning,
    "provisionings": acm1.Provisionings,
    "provisioning-rows": acm1.ProvisioningRows,
    "template": acm1.Template,
    "withdrawal": acm1.WithdrawalInput,
    "withdrawal-accepted": acm1.Accepted,
}


def test_every_golden_document_of_acm1_is_decoded() -> None:
    found = {path.stem: path.read_bytes() for path in (EXAMPLES / "acm1").glob("*.json")}
    documents = {name: body for name, body in found.items() if not name.startswith("problem-")}
    assert documents.keys() == ACM1.keys()
    for name, body in documents.items():
        again = msgspec.json.encode(read(body, ACM1[name]))
        assert read(again, ACM1[name]) == read(body, ACM1[name])


def test_every_document_of_the_routes_has_an_example() -> None:
    for row in rules.ROUTES:
        for struct in filter(None, (row.takes, row.gives)):
            assert struct in ACM1.values() or struct is acm1.Partner, struct


def test_every_struct_of_acm2_and_of_the_evidence_has_a_table() -> None:
    text = prose(DOCS / "evidence.md", *PROTOCOL)
    shown = {members.STRUCTS[name] for name in re.findall(r"<!-- generated: members (\S+) -->", text)}
    structs: set[type] = {
        *get_args(AnyMessage),
        Receipt,
        Refusal,
        ExchangesPage,
        Statement,
        Metadata,
        PartnerFile,
    }
    structs |= {Wanted, Given, records.EvidenceFile, records.Evidence}
    structs |= {records.SignedCheckpoint, records.Checkpoint, records.SealedRow}
    assert reached(structs) <= shown


def reached(structs: set[type]) -> set[type]:
    """These structs, and those that their members hold."""
    found: set[type] = set()
    seen: list[Any] = [*msgspec.inspect.multi_type_info(structs)]
    while seen:
        kind = seen.pop()
        if isinstance(kind, msgspec.inspect.StructType):
            found.add(kind.cls)
            seen += [field.type for field in kind.fields]
        else:
            inner = (getattr(kind, name, ()) for name in ("type", "types", "item_type", "value_type"))
            seen += [part for given in inner for part in (given if isinstance(given, tuple) else (given,))]
    return found


def test_the_openapi_documents_are_what_the_code_generates() -> None:
    for name, text in openapi_files().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text


@pytest.mark.law(13)
async def test_a_page_has_1_to_1000_items(tmp_path: Path) -> None:
    async with two_systems(tmp_path, Clock()) as (police, _):
        for limit, status in ((0, 422), (1, 200), (1000, 200), (1001, 422)):
            reply = await police.ask("GET", f"/requests?limit={limit}", who="dispatcher")
            assert reply.status == status


# The lists of errors are closed.

RECEIVING = (
    "acmx.faces.acm2.app",
    "acmx.faces.acm2.peers",
    "acmx.faces.body",
    "acmx.faces.problems",
    "acmx.flows.acm2.arrivals",
    "acmx.flows.carry_out",
    "acmx.flows.acm2.limits",
    "acmx.flows.acm2.receive",
    "acmx.flows.acm2.receive_answer",
    "acmx.flows.acm2.receive_question",
    "acmx.flows.acm2.receive_request",
    "acmx.flows.acm2.receive_response",
    "acmx.flows.acm2.receive_revocation",
    "acmx.flows.acm2.receive_update",
    "acmx.flows.acm2.receive_withdrawal",
    "acmx.flows.exchange.request_rules",
    "acmx.flows.partnership.state_partnership",
    "acmx.kinds",
    "acmx.storage.engines.sqlite",
    "acmx.trust.signatures",
)
NEVER_CROSSES = {
    errors.FaultyInput,  # the base of InvalidMessage
    errors.Incomplete,  # caught: a person decides
    errors.InsufficientScope,  # ACM-1's
    errors.Misconfigured,  # when the store is opened
    errors.NotAuthenticated,  # ACM-1's
    errors.TooManyAttempts,  # ACM-1's
}
ONLY_ON_THIS_MACHINE = {
    errors.DirectoryInUse,
    errors.AlreadyThere,
    errors.Misconfigured,
    errors.UnsafeLibrary,
    errors.Unreachable,
    errors.UnknownCertificate,
}


def classes_in(module: str) -> set[type[AcmxError]]:
    return {
        value
        for value in vars(importlib.import_module(module)).values()
        if inspect.isclass(value) and issubclass(value, AcmxError)
    }


@pytest.mark.law(5)
def test_the_errors_of_acm2_are_those_that_receiving_can_raise() -> None:
    raised = set().union(*map(classes_in, RECEIVING)) - NEVER_CROSSES
    assert raised == set(rules.SIGNED) | set(rules.UNSIGNED)


@pytest.mark.law(5)
def test_there_is_a_golden_refusal_of_every_type_with_the_status_and_finality_of_the_list() -> None:
    refusals = [read(body_of(name), Refusal) for name in ACM2 if name.startswith("refusal-")]
    assert {(r.type, r.status, r.final) for r in refusals} == {
        (PROBLEM + error.type, error.status, error.final) for error in rules.SIGNED
    }


def test_every_error_is_on_the_page_or_stays_on_this_machine() -> None:
    every = {c for c in classes_in("acmx.domain.errors") if "type" in vars(c)}
    listed = {*rules.SIGNED, *rules.UNSIGNED, *rules.TO_CLIENTS}
    assert every - ONLY_ON_THIS_MACHINE == listed


def test_every_event_says_what_it_is_on_the_wire() -> None:
    assert set(rules.ON_THE_WIRE) == set(Event)


def statement(**changes: str) -> bytes:
    return msgspec.json.encode(document_of("statement") | changes)


@pytest.mark.law(5)
async def test_what_is_refused_before_a_message_is_known_is_refused_without_a_signature(
    tmp_path: Path,
) -> None:
    clock = Clock(made_at("statement"))
    async with two_systems(tmp_path, clock) as (police, fire):
        await befriend(fire, police)
        shown, body, seal = police.certificate, body_of("request"), signature_of("request")
        place = (police.id, document_of("request")["exchange"], 1)
        said = statement()
        clock.advance(hours=1)
        ahead = police.sign(said, to=fire.id, typ="acm-partnership")
        clock.advance(hours=-1)
        foreign = statement(to="mc.coast-guard.example")
        foreign_seal = police.sign(foreign, to=fire.id, typ="acm-partnership")
        asserted = {"x-3gpp-asserted-identity": "sip:a@b.example"}
        replies = [
            await fire.hear("0" * 64, place, body, seal),
            await fire.hear(shown, place, body, seal, **asserted),
            await fire.hear(shown, (police.id, "1", 1), body, seal),
            await call(fire.acm2, "DELETE", "/acm2/v1/metadata", certificate=shown),
            await fire.hear(shown, place, b" " * (8 * 1024 * 1024 + 1), seal),
            await fire.hear_statement(shown, said, signature_of("request")),
            await fire.hear_statement(shown, said, ahead),
            await fire.hear_statement(shown, foreign, foreign_seal),
        ]
        fire.bodies._of_one = 0
        replies.append(await fire.hear(shown, place, body, seal))
        fire.bodies._of_one = len(said)
        await fire.store.close()
        replies.append(await fire.hear_statement(shown, said, signature_of("statement")))
        assert [reply.signature for reply in replies] == [None] * len(replies)
        found = {msgspec.json.decode(reply.body)["type"]: reply.status for reply in replies}
        listed = {PROBLEM + error.type: error.status for error in rules.UNSIGNED}
        assert found == {type_: status for type_, status in listed.items() if status != 500}


async def test_metadata_is_given_to_a_partner_signed_for_nobody_in_particular(tmp_path: Path) -> None:
    async with two_systems(tmp_path, Clock()) as (police, fire):
        await befriend(police, fire)
        reply = await call(police.acm2, "GET", "/acm2/v1/metadata", certificate=fire.certificate)
        assert reply.body == body_of("metadata")
        file = msgspec.json.decode((EXAMPLES / "acm1" / "partner-file.json").read_bytes())
        assert file == {"metadata": reply.body.decode(), "signature": reply.signature}
