import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import (
    MAX_USERS,
    Identity,
    InvalidIdentity,
    Realms,
    faults_in_users,
    functional_alias,
    group_id,
    host_and_port,
    mc_service_id,
    mc_system_id,
    server_psi,
    shown,
)

VALID = [
    "sip:alice@mc.primary-a.example.net",
    "sips:desk1@mc.partner-b.example.net",
    "sip:fire-1@[2001:db8::10]",
    "tel:+15550100123",
    "tel:7042;phone-context=mc.primary-a.example.net",
    "sip:loc1.train42.cab1.driver@ocode7.example.net",
    "SIP:alice@mc.example.net",
    "Tel:+15550",
    "tel:+155501001234567",
    "tel:7042;phone-context=+49",
    "TEL:7042;Phone-Context=+49",
    "sip:alice@192.0.2.7:5060",
    "sip:alice@[2001:db8::10]:65535",
    "sip:alice@localhost",
    "sip:a;b?c/d&e=f+g$h,i@mc.example.net",
    "sip:%61lice%23@mc.example.net",
    "sip:alice@1.2.3.4a.b",
    f"sip:alice@{'a' * 63}.example.net",
    f"sip:{'a' * 239}@example.net",
]
MALFORMED = "has a malformed URI parameter"
NO_USER = "must have a user part before the @"
NO_SCHEME = "must begin with sip: or sips: or tel:"
CHARACTERS = "must not contain spaces, control characters or characters beyond ASCII"
USER_PART = "has a character in its user part that must be escaped, or a bad escape"
BAD_HOST = "must have a host: a DNS name, an IPv4 address or an IPv6 address in brackets"
BAD_PORT = "must have a port from 1 to 65535 after the colon, or no colon"
PASSWORD = "must not carry a password (a : in the user part)"
HEADERS = "must not carry headers (a ? after the host)"
RAW_HASH = "must not contain a raw # (write %23)"
GLOBAL_DIGITS = "must have 5 to 15 digits after the +, and nothing else"
LOCAL_DIGITS = "must have a number of 1 to 15 digits"
NO_CONTEXT = "must have a + before the number, or a ;phone-context= (DNS name or + digits)"
INVALID = [
    ("", NO_SCHEME),
    ("sip", NO_SCHEME),
    ("alice@mc.example.net", NO_SCHEME),
    ("mcptt:alice@mc.example.net", NO_SCHEME),
    ("https://mc.example.net/alice", NO_SCHEME),
    ("sip:", NO_USER),
    ("sip:@mc.example.net", NO_USER),
    ("sip:mc.example.net", NO_USER),
    ("sip:alice@", BAD_HOST),
    ("sip:alice@mc..example.net", BAD_HOST),
    ("sip:alice@-a.example.net", BAD_HOST),
    ("sip:alice@a-.example.net", BAD_HOST),
    ("sip:alice@mc_1.example.net", BAD_HOST),
    ("sip:alice@mc.example.net.", BAD_HOST),
    ("sip:alice@bob@mc.example.net", BAD_HOST),
    ("sip:alice@256.1.1.1", BAD_HOST),
    ("sip:alice@192.0.2.07", BAD_HOST),
    ("sip:alice@1.2.3", BAD_HOST),
    ("sip:alice@2001:db8::10", BAD_HOST),
    ("sip:alice@[2001:db8::10", BAD_HOST),
    ("sip:alice@[2001:db8::g]", BAD_HOST),
    ("sip:alice@[fe80::1%25eth0]", BAD_HOST),
    ("sip:alice@[192.0.2.1]", BAD_HOST),
    (f"sip:alice@{'a' * 64}.example.net", BAD_HOST),
    ("sip:alice@mc.example.net:", BAD_PORT),
    ("sip:alice@mc.example.net:0", BAD_PORT),
    ("sip:alice@mc.example.net:65536", BAD_PORT),
    ("sip:alice@mc.example.net:123456", BAD_PORT),
    ("sip:alice:secret@mc.example.net", PASSWORD),
    ("sip:alice@mc.example.net?Subject=x", HEADERS),
    ("sip:alice@mc.example.net?Subject=x@y", HEADERS),
    ("sip:al<ice@mc.example.net", USER_PART),
    ("sip:100%@mc.example.net", USER_PART),
    ("sip:alice%00@mc.example.net", USER_PART),
    ("sip:alice%0d%0a@mc.example.net", USER_PART),
    ("sip:alice%7F@mc.example.net", USER_PART),
    ("sip:###.train42.cab1.driver@ocode7.example.net", RAW_HASH),
    ("tel:15550100", NO_CONTEXT),
    ("tel:+1234", GLOBAL_DIGITS),
    ("tel:+1234567890123456", GLOBAL_DIGITS),
    ("tel:+1-555-010-0123", GLOBAL_DIGITS),
    ("tel:", LOCAL_DIGITS),
    ("tel:7042a;phone-context=mc.example.net", LOCAL_DIGITS),
    ("tel:7042;phone-context=", MALFORMED),
    ("tel:7042;phone-context=mc..example.net", NO_CONTEXT),
    ("tel:7042;phone-context", NO_CONTEXT),
    ("tel:7042;phone-context=+1;phone-context=+2", "must not carry the URI parameter phone-context twice"),
    ("tel:+15550100123;phone-context=+1", "must not carry the URI parameter phone-context"),
    ("sip:alice@mc.example.net;user=phone", "must not carry the URI parameter user"),
    ("sip:alice@mc.example.net;", MALFORMED),
    (" sip:alice@mc.example.net", CHARACTERS),
    ("sip:alice@mc.example.net\n", CHARACTERS),
    ("sip:alice@mc.example.net\x00", CHARACTERS),
    ("sip:al ice@mc.example.net", CHARACTERS),
    ("sip:\u0430lice@mc.example.net", CHARACTERS),
    ("sip:alice@mc.ex\u0430mple.net", CHARACTERS),
    ("\u017fip:alice@mc.example.net", CHARACTERS),
    ("tel:+1555010012\u0663", CHARACTERS),
    (f"sip:{'a' * 240}@example.net", "must have at most 255 characters"),
]

labels = st.from_regex(r"[a-zA-Z]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?", fullmatch=True)
dns_names = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.none() | st.integers(1, 65535)
hosts = st.one_of(
    dns_names, st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(lambda address: f"[{address}]")
)
sip_users = st.lists(
    st.sampled_from([*string.ascii_letters, *string.digits, *"-_.!~*'()&=+$,;?/", "%23", "%c3%A9", "%41"]),
    min_size=1,
    max_size=30,
).map("".join)
sip_identities = st.builds(
    lambda scheme, user, host, port: f"{scheme}:{user}@{host}" + (f":{port}" if port else ""),
    st.sampled_from(["sip", "sips", "SIP", "Sips"]),
    sip_users,
    hosts,
    ports,
)
tel_identities = st.one_of(
    st.from_regex(r"tel:\+[0-9]{5,15}", fullmatch=True),
    st.builds("tel:{};phone-context={}".format, st.integers(0, 10**15 - 1), dns_names),
)
identities = sip_identities | tel_identities


@st.composite
def damaged(draw):
    """A string near an identity: one character of it put in, taken out or replaced."""
    text = draw(identities)
    at = draw(st.integers(0, len(text)))
    put = draw(st.sampled_from(["", *"@:;?#%+[].- \n", "\x00", "\u0663", "\u017f", "\u212a", "a", "7"]))
    return text[:at] + put + text[at + draw(st.integers(0, 1)) :]


def is_valid(text: str) -> bool:
    try:
        mc_service_id(text)
    except InvalidIdentity:
        return False
    return True


@pytest.mark.parametrize("parse", [mc_service_id, group_id, functional_alias])
@pytest.mark.parametrize("text", VALID)
def test_a_valid_identity_is_taken_as_it_is(parse, text):
    assert parse(text).text == text


@pytest.mark.parametrize("parse", [mc_service_id, group_id, functional_alias])
@pytest.mark.parametrize(("text", "rule"), INVALID)
def test_an_invalid_identity_is_refused_with_its_rule(parse, text, rule):
    with pytest.raises(InvalidIdentity) as refused:
        parse(text)
    assert refused.value.rule == rule


def test_an_invalid_identity_is_faulty_input_and_names_the_field_it_is_asked_for():
    with pytest.raises(FaultyInput) as refused:
        mc_service_id("sip:@mc.example.net")
    assert refused.value.fault("asker") == Fault("asker", "sip:@mc.example.net", NO_USER)
    assert refused.value.faults == [Fault("identity", "sip:@mc.example.net", NO_USER)]


@pytest.mark.parametrize(
    ("text", "scheme", "user", "host"),
    [
        ("SIP:Al@MC.Example.net:5060", "sip", "Al", "mc.example.net"),
        ("sips:Al@[2001:DB8:0::10]", "sips", "Al", "[2001:db8::10]"),
        ("tel:+15550100123", "tel", "+15550100123", ""),
        ("tel:7042;phone-context=MC.example.net", "tel", "7042", "mc.example.net"),
    ],
)
def test_an_identity_knows_its_parts(text, scheme, user, host):
    parsed = mc_service_id(text)
    assert (parsed.scheme, parsed.user, parsed.host) == (scheme, user, host)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:Al@MC.Example.net", "sip:Al@mc.example.net"),
        ("SIP:Al@mc.example.net", "sip:Al@mc.example.net"),
        ("sip:%41l%2d1@mc.example.net", "sip:Al-1@mc.example.net"),
        ("sip:a%c3%a9@mc.example.net", "sip:a%C3%A9@mc.example.net"),
        ("sip:a@[2001:DB8:0:0::10]", "sip:a@[2001:db8::10]"),
        ("sip:a@mc.example.net:05060", "sip:a@mc.example.net:5060"),
        ("tel:7042;phone-context=MC.example.net", "TEL:7042;phone-context=mc.example.net"),
    ],
)
def test_two_spellings_of_one_identity_have_the_same_key(one, other):
    assert mc_service_id(one).key == mc_service_id(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:al@mc.example.net", "sip:Al@mc.example.net"),
        ("sip:al@mc.example.net", "sips:al@mc.example.net"),
        ("sip:al@mc.example.net", "sip:al@mc.example.net:5060"),
        ("sip:a%2Fb@mc.example.net", "sip:a/b@mc.example.net"),
        ("tel:7042;phone-context=a.example.net", "tel:7042;phone-context=b.example.net"),
    ],
)
def test_different_identities_have_different_keys(one, other):
    assert mc_service_id(one).key != mc_service_id(other).key


def test_only_configured_uri_parameters_are_taken_and_they_do_not_change_who_it_is():
    text = "sip:+15550100@mc.example.net;User=phone"
    assert mc_service_id(text, frozenset({"user"})).key == "sip:+15550100@mc.example.net"
    with pytest.raises(InvalidIdentity, match="must not carry the URI parameter ttl"):
        mc_service_id(f"{text};ttl=1", frozenset({"user"}))


def test_a_functional_alias_with_the_escaped_wildcard_is_for_searches_only():
    text = "sip:%23%23%23.train42.cab1.driver@ocode7.example.net"
    assert mc_service_id(text).text == text
    with pytest.raises(InvalidIdentity, match="searches only"):
        functional_alias(text)


def test_a_server_psi_needs_no_user_part_and_may_name_its_transport():
    assert server_psi("sip:MCPTT.example.net;transport=tls;lr").key == "sip:mcptt.example.net"
    assert server_psi("sip:gms_psi@gms.example.net").user == "gms_psi"


@pytest.mark.parametrize(
    "text", ["tel:+15550100123", "sip:", "sip:mc..example.net", "sip:h;maddr=x", "sip:@h"]
)
def test_a_server_psi_is_a_sip_uri_of_a_valid_host(text):
    with pytest.raises(InvalidIdentity):
        server_psi(text)


@pytest.mark.parametrize("text", ["mc.partner-b.example.net", "alpha", "mc1.example"])
def test_an_mc_system_id_is_a_lower_case_dns_name(text):
    assert mc_system_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MC.example.net",
        "mc..example.net",
        "mc.example.net\n",
        "mc.example.net.",
        "sip:mc.example.net",
        "192.0.2.1",
        "../etc",
        "a/b",
        "mc.example.net:80",
        "m\u0441.example.net",
        ".".join(["a" * 63] * 4),
    ],
)
def test_anything_else_is_no_mc_system_id(text):
    with pytest.raises(InvalidIdentity) as refused:
        mc_system_id(text)
    assert refused.value.rule == "must be a DNS name in lower case"


def test_an_address_is_a_host_and_perhaps_a_port():
    assert host_and_port("MC.example.net:0443", "") == ("mc.example.net", "443")
    assert host_and_port("[2001:db8::1]", "") == ("[2001:db8::1]", "")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("sip:alice:hush@mc.example.net", "sip:alice:…@mc.example.net"),
        ("https://alice:hu/sh@mc.example.net/x", "https://…@mc.example.net/x"),
        ("https://token@mc.example.net", "https://…@mc.example.net"),
        ("sip:fire 1@[2001:db8::10]", "sip:fire 1@[2001:db8::10]"),
        ("a" * 256, "a" * 255 + "…"),
    ],
)
def test_a_value_is_shown_without_its_password_and_not_endlessly(text, seen):
    assert shown(text) == seen


@given(identities)
def test_every_generated_identity_is_valid_and_its_key_stands_for_itself(text):
    parsed = mc_service_id(text)
    assert isinstance(parsed, Identity)
    assert parsed.text == text
    assert mc_service_id(parsed.key).key == parsed.key


@given(
    identities,
    st.integers(min_value=0),
    st.characters(max_codepoint=0x20) | st.sampled_from("\x7f\x85\xa0\u2028"),
)
def test_no_identity_has_a_space_or_control_character_anywhere(text, at, character):
    at %= len(text) + 1
    assert not is_valid(text[:at] + character + text[at:])


@given(st.lists(identities | damaged() | st.text(max_size=20), min_size=1, max_size=8))
@example(["sip:al@mc.example.net", "sip:Al@mc.example.net", "sip:al@MC.example.net"])
@example(["sip:al@mc.example.net", "sip:Al@mc.example.net"])
def test_the_list_is_judged_as_its_members_are(users):
    faults = {fault.field: fault for fault in faults_in_users(users)}
    first_at = {}
    for index, text in enumerate(users):
        fault = faults.pop(f"users[{index}]", None)
        if not is_valid(text):
            assert fault is not None
            continue
        first = first_at.setdefault(mc_service_id(text).key, index)
        expected = None if first == index else f"is the same user as users[{first}]"
        assert (fault and fault.rule) == expected
    assert not faults


@pytest.mark.parametrize(("text", "rule"), [*((text, None) for text in VALID), *INVALID])
def test_a_list_of_one_is_refused_with_the_rule_of_the_identity(text, rule):
    assert [fault.rule for fault in faults_in_users([text])] == ([rule] if rule else [])


@given(damaged())
def test_a_list_of_one_is_judged_as_the_identity_is(text):
    assert (faults_in_users([text]) == []) == is_valid(text)


def test_a_list_names_each_faulty_member_by_its_index():
    users = [
        "sip:al@mc.example.net",
        "al@mc.example.net",
        "sip:bo@mc.example.net",
        "sip:al@MC.example.net",
        "sip:al:hush@mc.example.net",
    ]
    assert faults_in_users(users, "approved") == [
        Fault("approved[1]", "al@mc.example.net", NO_SCHEME),
        Fault("approved[3]", "sip:al@MC.example.net", "is the same user as approved[0]"),
        Fault("approved[4]", "sip:al:…@mc.example.net", PASSWORD),
    ]


def test_a_list_with_no_user_is_refused():
    assert faults_in_users([]) == [Fault("users", "[]", "must name at least one user")]


def test_a_list_holds_ten_thousand_users_and_not_one_more():
    users = [f"tel:+1555{number:07d}" for number in range(MAX_USERS + 1)]
    assert faults_in_users(users[:-1]) == []
    assert faults_in_users(users) == [Fault("users", "10001 users", "must name at most 10,000 users")]


REALMS = Realms(
    hosts=("mc.example.net", "[2001:db8::10]"),
    phone_contexts=("mc.example.net", "+49"),
    tel_prefixes=("+1555",),
)


@pytest.mark.parametrize(
    "text",
    [
        "sip:al@mc.example.net",
        "sip:al@MC.example.net:5060",
        "sips:%61l@mc.example.net",
        "sip:al@[2001:DB8:0::10]",
        "tel:+15550100123",
        "tel:7042;phone-context=MC.example.net",
        "tel:7042;phone-context=+49",
    ],
)
def test_a_user_of_the_realms_is_at_home(text):
    assert REALMS.foreign([text]) == []


@pytest.mark.parametrize(
    "text",
    [
        "sip:al@sub.mc.example.net",
        "sip:al@example.net",
        "sip:al@xmc.example.net",
        "sip:%61l@other.example.net",
        "sip:mc.example.net@other.example.net",
        "tel:+15560100123",
        "tel:+4915550",
        "tel:15550100;phone-context=+1555",
        "tel:7042;phone-context=sub.mc.example.net",
        "mc.example.net",
        "al@mc.example.net",
        f"sip:{'a' * 250}@mc.example.net",
    ],
)
def test_any_other_user_is_foreign(text):
    assert REALMS.foreign(["sip:al@mc.example.net", text]) == [text]


@pytest.mark.parametrize(("text", "rule"), INVALID)
def test_an_invalid_identity_is_at_home_nowhere(text, rule):
    realms = Realms(hosts=("mc.example.net", "example.net", ""), phone_contexts=("",), tel_prefixes=("+", ""))
    assert realms.foreign([text]) == [text]


def test_without_realms_everybody_is_foreign():
    users = ["sip:al@mc.example.net", "tel:+15550100123", "tel:7042;phone-context=+49"]
    assert Realms().foreign(users) == users


@given(sip_identities)
def test_a_user_is_at_home_exactly_in_the_realm_it_names(text):
    user = mc_service_id(text)
    assert Realms(hosts=(user.host,)).foreign([text]) == []
    assert Realms(hosts=(f"x{user.host}",)).foreign([text]) == [text]


def test_realms_are_declared_in_lower_case_ascii_and_each_fault_is_named():
    assert REALMS.faults() == []
    realms = Realms(
        hosts=(
            "mc.example.net",
            "MC.example.net",
            "",
            "[2001:db8:0::1]",
            "*.example.net",
            "mc.ex\u0430mple.net",
        ),
        phone_contexts=("+", "Mc.example.net", "49"),
        tel_prefixes=("1555", "+", "+1555\u0663", "+1555\n"),
    )
    assert [fault.field for fault in realms.faults()] == [
        *(f"hosts[{index}]" for index in range(1, 6)),
        *(f"phone_contexts[{index}]" for index in range(3)),
        *(f"tel_prefixes[{index}]" for index in range(4)),
    ]
    assert realms.faults()[0] == Fault("hosts[1]", "MC.example.net", "must be a host in lower case")
