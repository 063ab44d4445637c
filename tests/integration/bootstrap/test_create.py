"""The directory that `acmx init` makes: complete and private, or not there."""

import asyncio
import stat
from datetime import timedelta
from importlib.resources import files
from ipaddress import ip_address

import pytest
from cryptography import x509
from msgspec.structs import replace

from acmx import config
from acmx.bootstrap.create import create
from acmx.domain.acm1 import Credentials
from acmx.domain.errors import AlreadyThere, FaultyInput, LogOnRefused
from acmx.domain.identities import Realms
from acmx.domain.moments import from_ms
from acmx.flows.house import House
from acmx.flows.people import log_on
from acmx.flows.policy import read_policy
from acmx.storage import accounts, journal, policies
from acmx.storage.engines.sqlite import SqliteStore
from acmx.trust.keys import SigningKey
from acmx.trust.roles import ROLES
from acmx.trust.tls import server_context

pytestmark = pytest.mark.sqlite


def stored(directory, look):
    async def scenario():
        store = SqliteStore.open(directory / "acmx.db", on_fatal=print)
        try:
            return await store.read(look)
        finally:
            await store.close()

    return asyncio.run(scenario())


def modes(directory):
    return {
        str(path.relative_to(directory)): stat.S_IMODE(path.stat().st_mode)
        for path in (directory, *directory.rglob("*"))
    }


def test_only_the_owner_can_enter_or_read_anything(pattern):
    secret = (
        "config.toml",
        "keys/signing.pem",
        "tls/acm1.pem",
        "tls/acm1.key",
        "tls/acm2.pem",
        "tls/acm2.key",
    )
    assert modes(pattern) == {
        **dict.fromkeys((".", "keys", "tls"), 0o700),
        **dict.fromkeys((*secret, "acmx.db"), 0o600),
    }


def test_nothing_is_left_beside_the_directory(pattern):
    assert list(pattern.parent.iterdir()) == [pattern]


def test_the_configuration_says_what_was_asked_for(pattern, settings):
    assert config.read(pattern / "config.toml", {}) == config.Config(
        system=settings.system,
        name=settings.name,
        contact=settings.contact,
        acm1=config.Acm1(settings.acm1),
        acm2=config.Acm2(settings.acm2, settings.acm2_address),
        realms=Realms(settings.hosts, settings.phone_contexts, settings.tel_prefixes),
        delivery=config.Delivery(allow_local=True),
    )


def test_without_hosts_the_users_live_at_the_mc_system_id(tmp_path, settings):
    create(tmp_path / "acm", replace(settings, hosts=(), mc_service_id="sip:admin@mc.police.example"))
    assert config.read(tmp_path / "acm" / "config.toml", {}).realms.hosts == ("mc.police.example",)


def test_the_signing_key_is_new_and_can_be_loaded(pattern, tmp_path, settings):
    create(tmp_path / "acm", settings)
    one, other = (SigningKey.load(at / "keys" / "signing.pem").kid for at in (pattern, tmp_path / "acm"))
    assert one != other


@pytest.mark.parametrize(
    ("face", "hosts"),
    [("acm1", ["127.0.0.1", "localhost"]), ("acm2", ["mc.police.example", "2001:db8::1"])],
)
def test_each_certificate_is_usable_and_names_its_hosts(pattern, face, hosts):
    server_context(pattern / "tls" / f"{face}.pem", pattern / "tls" / f"{face}.key", None)
    leaf = x509.load_pem_x509_certificate((pattern / "tls" / f"{face}.pem").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {*names.get_values_for_type(x509.DNSName), *names.get_values_for_type(x509.IPAddress)}
    assert found == {ip_address(host) if host[0].isdigit() else host for host in hosts}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=825, hours=1)


def test_the_first_account_has_every_role_and_can_log_on(pattern, settings):
    account = stored(pattern, lambda tx: accounts.find(tx, "admin"))
    assert account.mc_service_id == settings.mc_service_id
    assert set(account.roles.split(",")) == set(ROLES)
    chosen = config.read(pattern / "config.toml", {})
    house = House(chosen.system, chosen.realms, lambda: from_ms(account.created_at))
    assert log_on.prepare(house, account, Credentials("admin", settings.password)).session
    with pytest.raises(LogOnRefused):
        log_on.prepare(house, account, Credentials("admin", "something else"))


@pytest.mark.law(10)
def test_the_shipped_policy_is_version_1_and_decides_nothing(pattern):
    policy = stored(pattern, policies.current)
    assert policy.version == 1
    assert policy.text == files("acmx.trust").joinpath("default_policy.cedar").read_text()
    assert read_policy.read(policy.text).rules == []


def test_the_audit_log_begins_with_the_account_and_the_policy(pattern, settings):
    entries = stored(pattern, lambda tx: journal.page(tx, before=None, limit=9))
    assert [(entry.event, entry.actor) for entry in entries] == [
        ("policy-set", settings.mc_service_id),
        ("account-added", settings.mc_service_id),
    ]


def test_the_password_is_nowhere_in_the_directory(pattern, settings):
    contents = [path.read_bytes() for path in pattern.rglob("*") if path.is_file()]
    assert not any(settings.password.encode() in content for content in contents)


@pytest.mark.law(12)
def test_a_directory_is_not_made_twice(directory, settings):
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    with pytest.raises(AlreadyThere, match="not an empty directory"):
        create(directory, settings)
    assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before
    assert list(directory.parent.iterdir()) == [directory]


def test_a_file_is_not_replaced(tmp_path, settings):
    (tmp_path / "acm").write_text("mine")
    with pytest.raises(AlreadyThere):
        create(tmp_path / "acm", settings)
    assert (tmp_path / "acm").read_text() == "mine"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"system": "MC.police.example"}, "system"),
        ({"acm1": "8441"}, "acm1.listen"),
        ({"acm2_address": "https://[::1]:0"}, "acm2.address"),
        ({"tel_prefixes": ("44",)}, "realms.tel_prefixes[0]"),
        ({"account": "Admin"}, "account.name"),
        ({"password": "short"}, "account.password"),
        ({"mc_service_id": "admin"}, "mc_service_id"),
        ({"mc_service_id": "sip:admin@fire.example"}, "mc_service_id"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_made(tmp_path, settings, wrong, field):
    with pytest.raises(FaultyInput) as refused:
        create(tmp_path / "acm", replace(settings, **wrong))
    assert [fault.field for fault in refused.value.faults] == [field]
    assert not list(tmp_path.iterdir())
