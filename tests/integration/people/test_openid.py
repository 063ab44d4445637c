"""People whom an OpenID provider vouches for, on ACM-1: the real provider, and tokens that somebody signs by hand."""

import asyncio
import hmac
import json
import sys
import warnings
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, RSAKey

from acmx.bootstrap import targets
from acmx.domain.messages import PROBLEM
from support.partner.openid import ALICE, AUDIENCE, Provider, claims, logged_on, running, signed
from support.systems.systems import POLICE, System, two_systems


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@asynccontextmanager
async def a_system(tmp: Path, provider: Provider, **settings: Any) -> AsyncIterator[System]:
    """The police, whose people log on at the provider; its clock shows the real time."""
    async with two_systems(tmp, start=False) as (police, _):
        police.clock.now = datetime.now(UTC)
        oidc = provider.settings(police.directory, **settings)
        police.config = msgspec.structs.replace(police.config, oidc=oidc)
        await police.start()
        yield police


async def answered(system: System, token: str) -> tuple[int, str, str]:
    """Status, problem type and WWW-Authenticate."""
    headers = {"Authorization": f"Bearer {token}"}
    async with system.http.get(f"{system.url}/session", headers=headers) as reply:
        document = msgspec.json.decode(await reply.read())
        challenge = reply.headers.get("WWW-Authenticate", "")
        return reply.status, document.get("type", "").removeprefix(PROBLEM), challenge


REFUSED = (401, "not-authenticated", 'Bearer error="invalid_token"')
KNOWN = (200, "", "")


async def log_on(system: System, home: Path, provider: Provider, person: str, *more: str) -> tuple[int, str]:
    return await logged_on(await acmx(system, home, "login", *more), provider, person)


async def acmx(system: System, home: Path, *arguments: str) -> asyncio.subprocess.Process:
    """The command as a process of its own."""
    if arguments[0] == "login":
        url, directory = system.url.removesuffix("/acm1/v1"), system.directory
        trusted = (
            "--certificate",
            directory / "tls" / "acm1.pem",
            "--provider-ca",
            directory / "provider.pem",
        )
        arguments = ("login", url, *map(str, trusted), *arguments[1:])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "acmx",
        *arguments,
        env={"XDG_CONFIG_HOME": str(home)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def profile(home: Path) -> Any:
    (file,) = (home / "acmx" / "profiles").glob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    return json.loads(file.read_text())


@pytest.mark.step(7, 15)
async def test_a_person_logs_on_in_the_browser_and_works_with_that(
    tmp_path: Path, provider: Provider
) -> None:
    async with a_system(tmp_path, provider) as police:
        status, said = await log_on(police, tmp_path, provider, "alice", "--json")
        assert status == 0, said
        kept = profile(tmp_path)
        assert (kept["name"], kept["session"]["roles"]) == (f"alice@{POLICE}", ["requester"])
        assert kept["session"]["mc_service_id"] == ALICE["mcptt_id"]
        assert kept["session"]["token"] not in said
        status, accepted = await police.submit(account=kept["session"]["token"])
        assert status == 201
        asked = await police.exchange(accepted["id"])
        assert asked["asker"] == ALICE["mcptt_id"]
        rows = (await police.done("GET", "/audit", account="auditor"))["items"]
        begun = [row for row in rows if row["event"] == "logged-on"]
        assert [(row["actor"], row["detail"]) for row in begun] == [
            (ALICE["mcptt_id"], {"account": "oidc:alice", "issuer": provider.issuer})
        ]


async def test_a_log_on_goes_on_by_its_refresh_token_until_it_is_ended(tmp_path: Path) -> None:
    with running(seconds=20) as provider:
        async with a_system(tmp_path, provider, offline_access=True) as police:
            status, said = await log_on(police, tmp_path, provider, "alice")
            assert status == 0, said
            kept = [profile(tmp_path)]
            for _ in range(2):
                commands = [await acmx(police, tmp_path, "pending") for _ in range(2)]
                for command in commands:
                    _, said = await command.communicate()
                    assert command.returncode == 0, said
                kept.append(profile(tmp_path))
            assert len({stored["session"]["token"] for stored in kept}) == 3
            assert len({stored["grant"]["refresh_token"] for stored in kept}) == 3
            logout = await acmx(police, tmp_path, "logout")
            _, said = await logout.communicate()
            assert (logout.returncode, said) == (0, b"")
            assert not list((tmp_path / "acmx" / "profiles").iterdir())
            again = json.dumps(kept[-1] | {"name": "again"})
            (tmp_path / "acmx" / "profiles" / "again.json").write_text(again)
            revoked = await acmx(police, tmp_path, "pending", "--as", "again")
            _, said = await revoked.communicate()
            assert revoked.returncode == 1
            assert b"log on again" in said


async def test_who_is_told_nothing_about_a_provider_names_an_account(
    tmp_path: Path, provider: Provider
) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        provider.settings(police.directory)
        assert await police.call("GET", "/", account=None) == (200, {"system": POLICE})
        login = await acmx(police, tmp_path, "login")
        _, said = await login.communicate()
        assert login.returncode == 2
        assert b"--account" in said


@pytest.mark.law(9)
async def test_a_token_without_a_person_is_an_agents(tmp_path: Path, provider: Provider) -> None:
    async with a_system(tmp_path, provider) as police:
        token = await asyncio.to_thread(provider.agent_token)
        agent = await police.done("GET", "/session", account=token)
        assert (agent["automatic"], agent["roles"]) == (True, ["reviewer"])
        person = await police.done("GET", "/session", account=provider.sign())
        assert person["automatic"] is False


@pytest.mark.parametrize("alg", ["RS256", "EdDSA"])
async def test_every_kind_of_key_will_do(alg: str, tmp_path: Path) -> None:
    with running(alg=alg) as provider:
        async with a_system(tmp_path, provider) as police:
            assert await answered(police, provider.agent_token()) == KNOWN


@pytest.mark.parametrize(
    ("person", "resource", "scope", "answer"),
    [
        ("dispatch-agent", AUDIENCE, "acm", KNOWN),
        ("dispatch-agent", "https://elsewhere.example", "acm", REFUSED),
        (
            "dispatch-agent",
            AUDIENCE,
            "other",
            (403, "insufficient-scope", 'Bearer error="insufficient_scope", scope="acm"'),
        ),
    ],
)
async def test_what_the_provider_gave_for_something_else_is_refused(
    person: str, resource: str, scope: str, answer: Any, tmp_path: Path, provider: Provider
) -> None:
    async with a_system(tmp_path, provider) as police:
        token = await asyncio.to_thread(provider.agent_token, resource=resource, scope=scope)
        assert await answered(police, token) == answer


async def test_a_token_of_another_provider_is_refused(tmp_path: Path, provider: Provider) -> None:
    with running() as other:
        async with a_system(tmp_path, provider) as police:
            assert await answered(police, await asyncio.to_thread(other.agent_token)) == REFUSED
            assert await answered(police, other.sign(iss=provider.issuer)) == REFUSED


def unsigned(header: dict[str, Any], **changes: Any) -> str:
    parts = (header, claims(**changes))
    encoded = (urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return ".".join([*encoded, ""])


def by_secret(secret: bytes, header: dict[str, Any], **changes: Any) -> str:
    told = unsigned({"alg": "HS256"} | header, **changes).removesuffix(".")
    mac = hmac.new(secret, told.encode(), sha256).digest()
    return f"{told}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def forged(provider: Provider, now: int) -> dict[str, str]:
    """Tokens that must be refused `now`, by what is wrong with them."""
    iss = {"iss": provider.issuer}
    own, stranger = provider.keys["ES256"], ECKey.generate_key("P-256")
    stranger.ensure_kid()
    rsa: Any = provider.keys["RS256"]
    public = rsa.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secrets = {"PEM": public, "JWK": json.dumps(rsa.as_dict(private=False)).encode(), "nothing": b""}
    confused = {
        f"HS256, the secret is the public key as {form}": by_secret(secret, {"kid": rsa.kid}, **iss)
        for form, secret in secrets.items()
    }
    good = provider.sign()
    return confused | {
        "issuer of somebody else": provider.sign(iss="https://elsewhere.example"),
        "issuer with a slash": provider.sign(iss=provider.issuer + "/"),
        "no issuer": provider.sign(iss=None),
        "audience of somebody else": provider.sign(aud="https://elsewhere.example"),
        "audience of the client (an ID token)": provider.sign(aud="acmx"),
        "audience that begins alike": provider.sign(aud=AUDIENCE + ".elsewhere.example"),
        "no audience": provider.sign(aud=None),
        "expired": provider.sign(exp=now - 31),
        "no end": provider.sign(exp=None),
        "an end in words": provider.sign(exp="tomorrow"),
        "not yet": provider.sign(nbf=now + 60),
        "from the future": provider.sign(iat=now + 60),
        "nobody": provider.sign(sub=None),
        "no MC service ID": provider.sign(mcptt_id=None),
        "user of another system": provider.sign(mcptt_id="sip:alice@elsewhere.example"),
        "MC service ID that is none": provider.sign(mcptt_id="alice"),
        "list of MC service IDs": provider.sign(mcptt_id=[ALICE["mcptt_id"]]),
        "unsigned": unsigned({"alg": "none", "kid": own.kid}, **iss),
        "unsigned, in capitals": unsigned({"alg": "NONE", "kid": own.kid}, **iss),
        "signature cut off": good.rpartition(".")[0] + ".",
        "claims of another token": ".".join(
            [good.split(".")[0], provider.sign(sub="bob").split(".")[1], good.split(".")[2]]
        ),
        "key of a stranger": signed("ES256", stranger, {"kid": own.kid}, **iss),
        "key it brings itself": signed(
            "ES256", stranger, {"kid": own.kid, "jwk": stranger.as_dict(private=False)}, **iss
        ),
        "good, but brings a key": signed("ES256", own, {"jwk": own.as_dict(private=False)}, **iss),
        "good, but names where to get a key": signed(
            "ES256", own, {"jku": "https://elsewhere.example/jwks"}, **iss
        ),
        "good, but names a certificate": signed(
            "ES256", own, {"x5u": "https://elsewhere.example/pem"}, **iss
        ),
        "algorithm of another key": signed("ES256", own, {"kid": rsa.kid}, **iss),
        "another kind of token": signed("ES256", own, {"typ": "token-introspection+jwt"}, **iss),
        "no kid": unsigned({"alg": "ES256"}, **iss) + "AAAA",
        "no JSON": "e30.e30.e30",
        "rubbish": "a.b.c",
        "dots": "..",
        "one dot": "a.b",
    }


async def test_what_is_forged_is_refused(tmp_path: Path, provider: Provider) -> None:
    async with a_system(tmp_path, provider) as police:
        assert await answered(police, provider.sign()) == KNOWN
        for what, token in forged(provider, int(police.clock().timestamp())).items():
            assert await answered(police, token) == REFUSED, what
        assert await answered(police, provider.sign(scope="openid acm.more")) == (
            403,
            "insufficient-scope",
            'Bearer error="insufficient_scope", scope="acm"',
        )
        status, problem = await police.call("GET", "/session", account=None)
        assert (status, problem["type"]) == (403, PROBLEM + "no-identity")


async def test_30_seconds_are_forgiven_and_not_one_more(tmp_path: Path, provider: Provider) -> None:
    async with a_system(tmp_path, provider) as police:
        now = int(police.clock().timestamp())
        police.clock.now = datetime.fromtimestamp(now, UTC)
        token = provider.sign(exp=now + 10)
        assert await answered(police, token) == KNOWN
        police.clock.advance(seconds=39)
        assert await answered(police, token) == KNOWN
        police.clock.advance(seconds=2)
        assert await answered(police, token) == REFUSED
        assert await answered(police, provider.sign(exp=now + 11)) == KNOWN


async def test_the_identity_is_that_of_the_first_claim_named_and_the_roles_are_those_of_the_mapping(
    tmp_path: Path, provider: Provider
) -> None:
    settings = {"role_claim": "realm_access.roles", "automatic_clients": ["night-desk"]}
    async with a_system(tmp_path, provider, **settings) as police:
        both = provider.sign(
            mcptt_id=None,
            mcdata_id=f"sip:data@{POLICE}",
            mcvideo_id=f"sip:video@{POLICE}",
            roles=["acm-run"],
            realm_access={"roles": ["acm-decide", "operator", "acm-ask"]},
        )
        standing = await police.done("GET", "/session", account=both)
        assert standing["mc_service_id"] == f"sip:video@{POLICE}"
        assert standing["roles"] == ["reviewer", "requester"]
        night = provider.sign(client_id="night-desk", realm_access={"roles": ["acm-ask"]})
        assert (await police.done("GET", "/session", account=night))["automatic"] is True
        status, problem = await police.call("GET", "/session", account=provider.sign(realm_access=[]))
        assert (status, problem["rule"]) == (403, "role:read-own")


async def test_a_new_key_is_fetched_when_it_is_needed_and_not_more_often(tmp_path: Path) -> None:
    with running() as provider:
        async with a_system(tmp_path, provider) as police:
            old = provider.sign()
            assert await answered(police, old) == KNOWN
            provider.rotate()
            assert await answered(police, provider.sign()) == REFUSED
            police.clock.advance(seconds=11)
            assert await answered(police, provider.sign()) == KNOWN
            police.clock.advance(seconds=50)
            assert await answered(police, old) == REFUSED


async def test_while_the_provider_is_away_its_known_keys_are_good_and_others_are_nobodys_fault(
    tmp_path: Path,
) -> None:
    with running() as provider:
        async with a_system(tmp_path, provider) as police:
            assert await answered(police, provider.sign()) == KNOWN
            provider.stop()
            police.clock.advance(seconds=61)
            assert await answered(police, provider.sign(jti="another")) == KNOWN
            stranger = ECKey.generate_key("P-256")
            stranger.ensure_kid()
            token = provider.sign(key=stranger)
            assert await answered(police, token) == (503, "identity-provider-unavailable", "")
            assert (await police.call("GET", "/session", account="requester"))[0] == 200


async def test_a_server_whose_provider_is_not_there_serves_local_accounts(tmp_path: Path) -> None:
    provider = Provider()
    async with a_system(tmp_path, provider) as police:
        assert await answered(police, provider.sign()) == (503, "identity-provider-unavailable", "")
        assert (await police.call("GET", "/session", account="requester"))[0] == 200


async def test_the_doctor_asks_the_provider(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        with running() as provider:
            oidc = provider.settings(police.directory)
            config = msgspec.structs.replace(police.config, oidc=oidc)
            (finding,) = await targets.reach(police.directory, config)
            assert (finding.status, finding.text) == ("ok", f"{provider.issuer} publishes 3 keys")
        (finding,) = await targets.reach(police.directory, config)
        assert (finding.name, finding.status) == ("identity provider", "failed")
        (police.directory / "provider.pem").write_text("nothing")
        (finding,) = await targets.reach(police.directory, config)
        assert (finding.status, "provider.pem" in finding.text) == ("failed", True)


async def test_a_short_key_is_none(tmp_path: Path) -> None:
    provider = Provider()
    with warnings.catch_warnings(action="ignore"):
        provider.keys["RS256"] = RSAKey.generate_key(1024)
        provider.keys["RS256"].ensure_kid()
        token = provider.sign("RS256")
    provider.start()
    try:
        async with a_system(tmp_path, provider) as police:
            assert await answered(police, provider.sign()) == KNOWN
            assert await answered(police, token) == REFUSED
    finally:
        provider.stop()


OF_ANOTHER = (403, "not-allowed", "")


@pytest.mark.law(10)
async def test_a_token_that_claims_a_local_accounts_mc_service_id_is_refused_and_that_is_on_record(
    tmp_path: Path, provider: Provider
) -> None:
    async with a_system(tmp_path, provider) as police:
        taken = f"sip:reviewer@{POLICE.upper()}"
        token = provider.sign(sub="mallory", mcptt_id=taken, roles=["acm-decide"])
        for _ in range(2):
            assert await answered(police, token) == OF_ANOTHER
        status, problem = await police.call("GET", "/pending", account=token)
        assert (status, problem["rule"]) == (403, "mc-service-id")
        assert "belongs to reviewer" in problem["detail"]
        [row] = (await police.done("GET", "/audit?event=refused", account="auditor"))["items"]
        named = {"type": "mc-service-id", "by": "oidc:mallory", "by_issuer": provider.issuer}
        assert (row["actor"], row["detail"]) == (taken, named)
        agent = provider.sign(sub="acmx", mcptt_id=taken, roles=["acm-decide"])
        assert await answered(police, agent) == OF_ANOTHER
        await police.done("POST", "/accounts/reviewer/disablement", account="operator")
        assert await answered(police, token) == KNOWN
        assert await answered(police, agent) == OF_ANOTHER
        enable = await police.call("POST", "/accounts/reviewer/enablement", account="operator")
        assert enable[0] == 409
        assert f"oidc:mallory of {provider.issuer}" in enable[1]["detail"]


async def test_of_two_subjects_with_one_mc_service_id_the_first_has_it_until_an_operator_frees_it(
    tmp_path: Path, provider: Provider
) -> None:
    async with a_system(tmp_path, provider) as police:
        first, second = provider.sign(), provider.sign(sub="alice-2")
        assert await answered(police, first) == KNOWN
        assert await answered(police, second) == OF_ANOTHER
        _, accepted = await police.submit(account=first)
        [row] = (await police.done("GET", f"/audit?event=submitted&exchange={accepted['id']}"))["items"]
        assert (row["actor"], row["detail"]["by"], row["detail"]["by_issuer"]) == (
            ALICE["mcptt_id"],
            "oidc:alice",
            provider.issuer,
        )
        await police.restart()
        assert await answered(police, first) == KNOWN
        assert await answered(police, second) == OF_ANOTHER
        [known] = (await police.done("GET", "/vouched"))["items"]
        assert (known["account"], known["issuer"], known["roles"]) == (
            "oidc:alice",
            provider.issuer,
            ["requester"],
        )
        new = {"name": "alice", "mc_service_id": ALICE["mcptt_id"], "roles": ["reviewer"]}
        assert (await police.call("POST", "/accounts", new | {"password": "a long password"}))[0] == 409
        freed = await police.done("POST", "/vouched/freeing", {"mc_service_id": ALICE["mcptt_id"]})
        assert freed["account"] == "oidc:alice"
        assert await answered(police, second) == KNOWN
        assert await answered(police, first) == OF_ANOTHER
        nobody = {"mc_service_id": f"sip:reviewer@{POLICE}"}
        assert (await police.call("POST", "/vouched/freeing", nobody))[0] == 404


async def test_with_another_provider_what_the_former_vouched_for_is_free(
    tmp_path: Path, provider: Provider
) -> None:
    with running() as former:
        async with a_system(tmp_path, former) as police:
            assert await answered(police, former.sign()) == KNOWN
            await police.stop()
            oidc = provider.settings(police.directory)
            police.config = msgspec.structs.replace(police.config, oidc=oidc)
            await police.start()
            assert await answered(police, provider.sign()) == KNOWN
            [row] = (await police.done("GET", "/audit?event=mc-service-id-freed"))["items"]
            assert (row["actor"], row["detail"]) == ("operator", {"issuer": former.issuer, "count": 1})


async def test_operators_of_the_provider_are_the_second_pair_of_eyes_too(
    tmp_path: Path, provider: Provider
) -> None:
    async with a_system(tmp_path, provider) as police:
        token = provider.sign(roles=["acm-run"])
        found = await police.done("GET", "/account-approvals", account=token)
        assert found == {"needed": 1, "operators": 3}
        await police.done("PUT", "/account-approvals", {"needed": 2})
        freed = {"mc_service_id": ALICE["mcptt_id"]}
        asked = await police.done("POST", "/vouched/freeing", freed, account="operator")
        assert await answered(police, token) == KNOWN
        own = await police.done("PATCH", "/accounts/operator", {"roles": ["reviewer"]}, account=token)
        place = f"/account-changes/{own['waiting']}/approval"
        assert (await police.call("POST", place, account=token))[0] == 403
        await police.done("POST", place)
        await police.done("POST", f"/account-changes/{asked['waiting']}/refusal", {})
        asked = await police.done("POST", "/vouched/freeing", freed)
        await police.done("POST", f"/account-changes/{asked['waiting']}/refusal", {}, account=token)
