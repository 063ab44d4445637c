"""The configuration file: what is written is read again, and whatever is wrong in it is named."""

import stat
import string
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.config import (
    Acm1,
    Acm2,
    Config,
    Delivery,
    Mail,
    Notices,
    Oidc,
    Requests,
    Webhook,
    endpoint,
    host_of,
    read,
    write,
)
from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.domain.identities import Realms
from acmx.domain.telling import TOLD
from support.systems.configs import LEAST, OIDC, SYSTEM, reading, refused

lines = st.text(st.characters() | st.sampled_from("\"'\\#{}[]=%"), max_size=60).filter(str.isprintable)
hosts = st.from_regex(r"[a-z]([a-z0-9-]{0,9}[a-z0-9])?(\.[a-z]{2,9}){0,3}", fullmatch=True)
places = st.builds(
    "{}:{}".format, hosts | st.sampled_from(["127.0.0.1", "[2001:db8::1]"]), st.integers(0, 65535)
)
addresses = st.sampled_from(["desk@police.example", "o'brien+acm@fire.example", "chief@mail.police.example"])
told = st.lists(addresses, min_size=1, max_size=3).map(tuple)
mails = st.builds(
    Mail,
    host=hosts,
    port=st.integers(1, 65535),
    tls=st.sampled_from(["none", "starttls", "tls"]),
    user=lines,
    password_file=lines,
    sender=addresses,
    reviewers=told,
    escalation=told,
    asker_events=st.lists(st.sampled_from(TOLD["asker"])).map(tuple),
)
webhooks = st.lists(
    st.builds(
        Webhook,
        name=st.text(string.ascii_lowercase, min_size=1, max_size=9),
        url=hosts.map("https://{}/hook".format),
        secret_file=lines,
        reviewer_events=st.lists(st.sampled_from(TOLD["reviewers"])).map(tuple),
        partner_events=st.lists(st.sampled_from(TOLD["partner-administrators"])).map(tuple),
    ),
    max_size=3,
    unique_by=lambda webhook: webhook.name,
).map(tuple)
seconds = st.floats(0.1, 900)
configs = st.builds(
    Config,
    system=hosts,
    name=lines.filter(bool),
    contact=lines,
    acm1=st.builds(Acm1, places),
    acm2=st.builds(Acm2, places, hosts.map("https://{}".format)),
    realms=st.builds(
        Realms,
        st.lists(hosts, min_size=1, max_size=9).map(tuple),
        st.lists(hosts, max_size=3).map(tuple),
        st.lists(st.text(string.digits, min_size=1, max_size=15).map("+{}".format), max_size=3).map(tuple),
    ),
    requests=st.integers(1, 3650).flatmap(
        lambda most: st.builds(Requests, st.integers(1, most), st.just(most))
    ),
    notices=st.builds(
        Notices,
        hosts.map("https://{}".format),
        st.integers(0, 1440),
        st.lists(st.integers(1, 99)).map(tuple),
        st.integers(0, 99),
    ),
    mail=mails,
    webhooks=webhooks,
    oidc=st.sampled_from([Oidc(), OIDC]),
    delivery=st.builds(Delivery, seconds, seconds, st.booleans()),
)


@given(configs)
def test_what_is_written_is_read_again(config):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "config.toml"), config)
        assert read(Path(folder, "config.toml"), {}) == config


def test_the_file_is_for_its_owner_and_explains_every_setting(tmp_path):
    path = tmp_path / "config.toml"
    write(path, Config(system=SYSTEM, name="Metropolitan Police", realms=Realms((SYSTEM,))))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    paragraphs = path.read_text().split("\n\n")
    assert all("# " in paragraph for paragraph in paragraphs)
    assert set(tomllib.loads(path.read_text())) == set(Config.__struct_fields__) - {
        "mail",
        "oidc",
        "webhooks",
    }
    named = ("[mail]", "[[webhooks]]", "docs/notifications.md", "[oidc]", "docs/people.md")
    assert all(section in path.read_text() for section in named)


def test_what_breaks_a_rule_is_not_written(tmp_path):
    with pytest.raises(FaultyInput, match="system"):
        write(tmp_path / "config.toml", Config(system="MC", name="x", realms=Realms(("mc",))))
    assert not list(tmp_path.iterdir())


@pytest.mark.law(12)
def test_a_configuration_is_never_written_over_another(tmp_path):
    config = reading(tmp_path, LEAST)
    with pytest.raises(FileExistsError):
        write(tmp_path / "config.toml", config)
    assert (tmp_path / "config.toml").read_text() == LEAST


def test_what_is_not_said_has_its_default(tmp_path):
    assert reading(tmp_path, LEAST) == Config(
        system=SYSTEM,
        name="Metropolitan Police",
        contact="",
        acm1=Acm1("127.0.0.1:8441"),
        acm2=Acm2("127.0.0.1:8442", "https://127.0.0.1:8442"),
        realms=Realms((SYSTEM,)),
        requests=Requests(30, 366),
        delivery=Delivery(30.0, 30.0),
    )


def test_the_database_is_a_file_or_a_url_that_the_environment_may_name(tmp_path):
    assert reading(tmp_path, LEAST).database == ""
    url = "postgresql://acmx@db.example/acmx?sslmode=verify-full"
    assert reading(tmp_path, LEAST, ACMX_DATABASE=url).database == url
    assert reading(tmp_path, f'database = "{url}"\n{LEAST}', ACMX_DATABASE="").database == ""
    with pytest.raises(Misconfigured, match="database") as refused:
        reading(tmp_path, LEAST, ACMX_DATABASE="mysql://acmx:s3cret@db.example/acmx")
    assert "s3cret" not in str(refused.value)


def test_the_environment_stands_over_the_file(tmp_path):
    text = LEAST + '[acm1]\nlisten = "127.0.0.1:1"'
    config = reading(
        tmp_path,
        text,
        ACMX_ACM1_LISTEN="[::1]:0",
        ACMX_ACM2_LISTEN="0.0.0.0:9442",
        ACMX_ACM2_ADDRESS="https://acm.police.example",
        ACMX_PROFILE="of the client",
        ACM1_LISTEN="somebody else's",
    )
    assert config.acm1 == Acm1("[::1]:0")
    assert config.acm2 == Acm2("0.0.0.0:9442", "https://acm.police.example")


@pytest.mark.parametrize(
    ("variable", "value", "field"),
    [
        ("ACMX_ACM1_LISTEN", "8441", "acm1.listen"),
        ("ACMX_ACM1_LISTN", "127.0.0.1:1", "acm1.listn"),
        ("ACMX_REALMS_HOSTS", "mc.fire.example", "realms.hosts"),
        ("ACMX_REQUESTS_EXPIRY_DAYS", "7", "requests.expiry_days"),
    ],
)
def test_a_fault_from_the_environment_names_its_variable(tmp_path, variable, value, field):
    message, fields = refused(tmp_path, LEAST, **{variable: value})
    assert variable in message
    assert fields == {field}


def test_every_fault_of_shape_is_named_at_once(tmp_path):
    text = """
    name = 3
    colour = "blue"
    [acm1]
    listn = "127.0.0.1:1"
    [realms]
    hosts = ["a.example", 4]
    tel_prefixes = "+49"
    [requests]
    expiry_days = true
    """
    _, fields = refused(tmp_path, text)
    assert fields == {
        "system",
        "name",
        "colour",
        "acm1.listn",
        "realms.hosts[1]",
        "realms.tel_prefixes",
        "requests.expiry_days",
    }


def test_every_value_that_breaks_a_rule_is_named_at_once(tmp_path):
    text = """
    system = "MC.police.example"
    name = ""
    contact = "two\\nlines"
    [acm1]
    listen = "127.0.0.1"
    [acm2]
    listen = "127.0.0.1:65536"
    address = "http://mc.police.example"
    [realms]
    hosts = ["mc.police.example", "MC"]
    phone_contexts = ["+"]
    tel_prefixes = ["49"]
    [requests]
    expiry_days = 0
    """
    _, fields = refused(tmp_path, text)
    assert fields == {
        "system",
        "name",
        "contact",
        "acm1.listen",
        "acm2.listen",
        "acm2.address",
        "realms.hosts[1]",
        "realms.phone_contexts[0]",
        "realms.tel_prefixes[0]",
        "requests.expiry_days",
    }


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ("expiry_days = 367", "requests.expiry_days"),
        ("longest_expiry_days = 29", "requests.expiry_days"),
        ("longest_expiry_days = 0", "requests.longest_expiry_days"),
        ("longest_expiry_days = 1000000000", "requests.longest_expiry_days"),
    ],
)
def test_a_request_may_not_wait_longer_than_the_longest(tmp_path, days, field):
    assert refused(tmp_path, LEAST + "[requests]\n" + days)[1] == {field}


@pytest.mark.parametrize("seconds", ["0.0", "901", "nan", "inf"])
def test_a_partner_is_given_a_reasonable_time(tmp_path, seconds):
    text = f"{LEAST}[delivery]\nanswer_seconds = {seconds}"
    assert refused(tmp_path, text)[1] == {"delivery.answer_seconds"}


def test_a_system_without_realms_is_refused(tmp_path):
    assert refused(tmp_path, f'system = "{SYSTEM}"\nname = "x"\n[realms]')[1] == {"realms"}


@pytest.mark.parametrize("section", ["acm1", "realms"])
def test_a_section_that_is_no_table_is_refused_whatever_the_environment(tmp_path, section):
    text = f'{section} = 3\nsystem = "{SYSTEM}"\nname = "x"'
    _, fields = refused(tmp_path, text, **{f"ACMX_{section.upper()}_LISTEN": "127.0.0.1:1"})
    assert section in fields


@pytest.mark.parametrize("text", ["system = ", "a = 1\na = 2", "\udcff"])
def test_what_is_no_toml_is_refused(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(Misconfigured, match=r"config\.toml: is not readable TOML"):
        read(path, {})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Misconfigured, match=r"config\.toml: No such file"):
        read(tmp_path / "config.toml", {})


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:8441", ("127.0.0.1", 8441)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("ACM.police.example:1", ("acm.police.example", 1)),
    ],
)
def test_a_listen_address_is_host_and_port(listen, expected):
    assert endpoint(listen) == expected


@pytest.mark.parametrize(
    "listen",
    [
        "",
        ":8441",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:٣",
        "::1:8441",
        "127.0.0.1:1:2",
        "[::1]",
        "a b:1",
        "127.0.0.1:000001",
    ],
)
def test_what_is_no_listen_address_is_refused(listen):
    with pytest.raises(FaultyInput):
        endpoint(listen)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://mc.police.example", "mc.police.example"),
        ("https://mc.police.example:8442", "mc.police.example"),
        ("https://[2001:db8::1]:8442", "2001:db8::1"),
    ],
)
def test_the_address_for_partners_has_a_host(address, host):
    assert host_of(address) == host


@pytest.mark.parametrize(
    "address",
    [
        "mc.police.example",
        "http://mc.police.example",
        "https://",
        "https://a.example/",
        "https://a.example:0",
        "https://me@a.example",
        "https://a.example?x",
        "https://2001:db8::1",
    ],
)
def test_what_is_no_address_for_partners_is_refused(address):
    with pytest.raises(FaultyInput):
        host_of(address)
