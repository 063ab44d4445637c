import copy
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.domain import server_identity
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.server_identity import ROWS, ServerIdentity, missing, read

CON_REFS = {"services": "mc", "common_core": "mc.core", "identity": "mc.idm"}
SLICES = {"mcptt": "01-1", "mcdata": "01-2", "mcvideo": "01-3", "common_core": "01-4", "idm": "01-5"}
FULL = {
    "mc_system_id": "mc.partner-b.example.net",
    "mc_system_name": {"text": "Système B", "lang": "fr-BE"},
    "idms_auth_endpoint": "https://idms.example.net/authorize?tenant=b",
    "idms_token_endpoint": "https://idms.example.net/token",
    "idm_client_id": "MCPTT_UE",
    "http_proxy": "https://[2001:db8::1]:8443",
    "gms": "https://gms.example.net",
    "gms_uri": "sip:gms_psi@gms.example.net",
    "gms_xcap_root": "https://xcap.example.net/gms",
    "group_creation_xui": "sip:groups@mc.example.net",
    "cms": "https://192.0.2.3",
    "cms_xcap_root": "https://xcap.example.net/cms",
    "kms": "https://kms.example.net",
    "lms": "sip:lms.example.net",
    "mcptt_server": {"uri": "sip:mcptt.example.net;transport=tls", "ipv6_required": True},
    "mcvideo_server": {"uri": "sips:mcvideo@example.net", "ipv6_required": False},
    "mcdata_server": {"uri": "https://mcdata.example.net", "ipv6_required": False},
    "common_core_server": {"uri": "sip:core@example.net", "ipv6_required": False},
    "idm_server": {"uri": "https://idms.example.net", "ipv6_required": False},
    "tls_tunnel_auth": {"mutual": False},
    "hplmn": {"plmn": "00101", "con_refs": CON_REFS, "slices": SLICES},
    "vplmns": [
        {"plmn": "001002", "con_refs": CON_REFS},
        {"plmn": "00103", "con_refs": CON_REFS, "slices": {}},
    ],
    "snssai": [{"snssai": "01-1", "nssaa_server": "https://nssaa.example.net"}, {"snssai": "01-2"}],
    "default_user": {"id": "sip:visitor@mc.example.net", "index": 255},
    "acm_server": "https://acm.example.net",
    "mc_gateway": "sip:gateway.example.net",
    "recording_server": "sip:recording@example.net",
    "migration_management_server": "sip:migration@example.net",
    "functional_alias_server": "sip:fa@example.net",
}
MUST_FROM_PARTNER = [
    "idms_auth_endpoint",
    "idms_token_endpoint",
    "http_proxy",
    "gms",
    "gms_uri",
    "gms_xcap_root",
    "cms",
    "cms_xcap_root",
    "kms",
]
HTTPS_ROWS = [name for name in MUST_FROM_PARTNER if name != "gms_uri"]
SERVER_ROWS = ["mcptt_server", "mcvideo_server", "mcdata_server", "common_core_server", "idm_server"]
URI_ROWS = [
    "lms",
    "acm_server",
    "mc_gateway",
    "recording_server",
    "migration_management_server",
    "functional_alias_server",
]
NO_SERVICE = "mcptt_server or mcvideo_server or mcdata_server"
SECRET = "is secret and is never exchanged"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def full(**changes: object) -> dict[str, object]:
    return {**copy.deepcopy(FULL), **changes}


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in FULL.items() if name not in names}


def faults(document: dict[str, object]) -> list[Fault]:
    with pytest.raises(FaultyInput) as refused:
        read(document)
    return refused.value.faults


def test_the_table_has_a_row_for_each_field_in_the_same_order():
    assert list(ROWS) == list(ServerIdentity.__struct_fields__) == list(FULL)


def test_every_row_is_read_and_written_as_it_was():
    written = msgspec.json.encode(read(FULL))
    assert msgspec.json.decode(written) == FULL
    assert msgspec.json.decode(written, type=ServerIdentity) == read(FULL)


def test_an_incomplete_one_can_be_read():
    assert msgspec.to_builtins(read({"mc_system_id": "mc.example.net"})) == {"mc_system_id": "mc.example.net"}


def test_the_mc_system_id_is_needed_even_so():
    assert faults({}) == [Fault("mc_system_id", "", "is missing")]


def test_the_full_one_lacks_nothing():
    assert missing(read(FULL)) == []


@pytest.mark.law(14)
@pytest.mark.parametrize("name", MUST_FROM_PARTNER)
def test_complete_is_every_row_that_is_needed_and_only_the_partner_can_give(name):
    assert missing(read(without(name))) == [name]


@pytest.mark.law(14)
def test_rows_that_a_template_can_fill_or_that_are_optional_may_be_absent():
    optional = set(FULL) - set(MUST_FROM_PARTNER) - {"mc_system_id", "mcdata_server"}
    assert missing(read(without(*optional))) == []


@pytest.mark.law(14)
def test_at_least_one_service_is_needed_and_any_one_will_do():
    services = {"mcptt_server", "mcvideo_server", "mcdata_server"}
    for service in services:
        assert missing(read(without(*(services - {service})))) == []
    assert missing(read(without(*services))) == [NO_SERVICE]


@pytest.mark.law(14)
def test_what_is_missing_is_named_in_the_order_of_the_table():
    assert missing(read({"mc_system_id": "mc.example.net"})) == [*MUST_FROM_PARTNER, NO_SERVICE]


@pytest.mark.parametrize("name", HTTPS_ROWS)
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", "must not be empty"),
        (7, "must be a string"),
        ("http://gms.example.net", "must be an https URL"),
        ("mailto:gms@example.net", "must be an https URL"),
        ("gms.example.net", "must be an https URL"),
        ("https://", "must have a host: a DNS name, an IPv4 address or an IPv6 address in brackets"),
        (
            "https://gms..example.net",
            "must have a host: a DNS name, an IPv4 address or an IPv6 address in brackets",
        ),
        (
            "https://2001:db8::1/",
            "must have a host: a DNS name, an IPv4 address or an IPv6 address in brackets",
        ),
        ("https://gms.example.net:70000/", "must have a port from 1 to 65535 after the colon, or no colon"),
        ("https://gms.example.net/#top", "must not carry a fragment (#)"),
        (
            "https://gms.example.net/a b",
            "must be a URL: no spaces, nothing beyond ASCII, % only before two hexadecimal digits",
        ),
        (
            "https://gms.example.net/\n",
            "must be a URL: no spaces, nothing beyond ASCII, % only before two hexadecimal digits",
        ),
        (
            "https://gms.example.net/%zz",
            "must be a URL: no spaces, nothing beyond ASCII, % only before two hexadecimal digits",
        ),
    ],
)
def test_an_http_server_has_an_https_url(name, value, rule):
    assert faults(full(**{name: value})) == [Fault(name, str(value), rule)]


def test_user_information_in_a_url_is_refused_and_not_shown():
    assert faults(full(kms="https://ue:hush@kms.example.net/")) == [
        Fault("kms", "https://…@kms.example.net/", "must not carry a user name or password")
    ]


@pytest.mark.parametrize("name", ["gms_xcap_root", "cms_xcap_root"])
def test_an_xcap_root_has_no_query(name):
    assert [fault.field for fault in faults(full(**{name: "https://xcap.example.net/?a=b"}))] == [name]


@pytest.mark.parametrize(
    "value", ["https://gms.example.net", "tel:+15550100", "sip:", "sip:a b@example.net", "sip:a:b@h"]
)
def test_the_gms_uri_is_a_sip_uri(value):
    assert [fault.field for fault in faults(full(gms_uri=value))] == ["gms_uri"]


@pytest.mark.parametrize("name", URI_ROWS)
@pytest.mark.parametrize(
    "value", ["", "tel:+15550100", "http://h.example.net", "h.example.net", "sip:-h", "https://-h"]
)
def test_any_other_server_has_a_sip_or_https_uri(name, value):
    assert [fault.field for fault in faults(full(**{name: value}))] == [name]


@pytest.mark.parametrize("name", SERVER_ROWS)
def test_a_service_needs_its_uri_and_its_ipv6_indication(name):
    assert faults(full(**{name: {}})) == [
        Fault(f"{name}.uri", "", "is missing"),
        Fault(f"{name}.ipv6_required", "", "is missing"),
    ]
    assert faults(full(**{name: {"uri": "", "ipv6_required": "maybe"}})) == [
        Fault(f"{name}.uri", "", "must not be empty"),
        Fault(f"{name}.ipv6_required", "maybe", "must be true or false"),
    ]
    assert faults(full(**{name: "sip:h"})) == [
        Fault(name, "sip:h", "must be a table with uri, ipv6_required")
    ]


@pytest.mark.parametrize("value", ["sip:mc.example.net", "https://mc.example.net/b", "mc.example.net"])
def test_the_mc_system_id_is_a_domain_or_a_uri(value):
    assert read(full(mc_system_id=value)).mc_system_id == value


@pytest.mark.parametrize(
    "value", ["", "MC.example.net", "not a uri %%", "urn:x:y", "mc.example.net:80", 7, None]
)
def test_anything_else_is_no_mc_system_id(value):
    assert [fault.field for fault in faults(full(mc_system_id=value))] == ["mc_system_id"]


@pytest.mark.parametrize("value", ["banana", "0010", "0010101", "00101\n", "0010\u0661", 10101])
def test_a_plmn_is_five_or_six_digits(value):
    assert [fault.field for fault in faults(full(hplmn={"plmn": value, "con_refs": CON_REFS}))] == [
        "hplmn.plmn"
    ]


def test_a_network_is_named_once():
    networks = [{"plmn": plmn, "con_refs": CON_REFS} for plmn in ("00102", "00101", "00102")]
    assert faults(full(vplmns=networks)) == [
        Fault("vplmns[1].plmn", "00101", "is the same network as hplmn"),
        Fault("vplmns[2].plmn", "00102", "is the same network as vplmns[0]"),
    ]


def test_a_network_needs_all_three_connection_references():
    assert faults(full(hplmn={"plmn": "00101", "con_refs": {"services": " ", "identity": "a\tb"}})) == [
        Fault(
            "hplmn.con_refs.services",
            " ",
            "must be text without control characters, and without spaces at its ends",
        ),
        Fault("hplmn.con_refs.common_core", "", "is missing"),
        Fault(
            "hplmn.con_refs.identity",
            "a\tb",
            "must be text without control characters, and without spaces at its ends",
        ),
    ]


def test_networks_and_slices_are_lists():
    assert faults(full(vplmns={}, snssai="01-1")) == [
        Fault("vplmns", "{…}", "must be a list"),
        Fault("snssai", "01-1", "must be a list"),
    ]


@pytest.mark.parametrize("index", [-1, 256, True, 1.0, "1", None])
def test_a_profile_index_is_0_to_255(index):
    assert faults(full(default_user={"id": "sip:visitor@mc.example.net", "index": index})) == [
        Fault("default_user.index", str(index), "must be a whole number from 0 to 255")
    ]


@pytest.mark.parametrize("lang", ["", "e", "english language", "en_GB", "de-"])
def test_the_name_has_a_language_tag(lang):
    assert [f.field for f in faults(full(mc_system_name={"text": "B", "lang": lang}))] == [
        "mc_system_name.lang"
    ]


@pytest.mark.parametrize(("row", "field"), [("group_creation_xui", ""), ("default_user", ".id")])
def test_a_user_is_named_by_an_identity(row, field):
    value = {"id": "mc.example.net", "index": 0} if field else "mc.example.net"
    assert faults(full(**{row: value})) == [
        Fault(row + field, "mc.example.net", "must begin with sip: or sips: or tel:")
    ]


@pytest.mark.parametrize(
    ("row", "value", "field"),
    [
        ("tls_tunnel_auth", {"mutual": True, "x509": "hush"}, "tls_tunnel_auth.x509"),
        ("tls_tunnel_auth", {"mutual": True, "key": {"hush": "hush"}}, "tls_tunnel_auth.key"),
        ("snssai", [{"snssai": "01-1", "credentials": "hush"}], "snssai[0].credentials"),
        ("password", "hush", "password"),
        ("PrivateKey", ["hush"], "PrivateKey"),
    ],
)
def test_a_secret_is_refused_and_never_shown(row, value, field):
    document = full(**{row: value})
    assert faults(document) == [Fault(field, "…", SECRET)]
    with pytest.raises(FaultyInput) as refused:
        read(document)
    assert "hush" not in str(refused.value)
    assert "hush" not in repr(refused.value.members)


def test_a_secret_is_found_inside_what_is_not_known_and_where_the_type_is_wrong():
    assert faults(full(kms={"password": "hush"}, apn=[{"chap": {"key": "hush"}}])) == [
        Fault("kms", "{…}", "must be a string"),
        Fault("kms.password", "…", SECRET),
        Fault("apn", "[…]", "is not known"),
        Fault("apn[0].chap.key", "…", SECRET),
    ]


def test_a_value_has_at_most_2048_characters():
    url = "https://kms.example.net/".ljust(2048, "a")
    assert read(full(kms=url)).kms == url
    assert faults(full(kms=f"{url}a")) == [
        Fault("kms", f"{url[:255]}…", "must have at most 2,048 characters")
    ]


def test_every_fault_is_named_at_once_in_the_order_of_the_table_and_strangers_last():
    document = {
        "zone": 1,
        "timers": {"T100": 2},
        "vplmns": [7],
        "kms": "",
        "mcptt_server": {"uri": "sip:h", "ipv6_required": 1, "port": 5060},
        "gms": "gms",
    }
    expected = [
        Fault("mc_system_id", "", "is missing"),
        Fault("gms", "gms", "must be an https URL"),
        Fault("kms", "", "must not be empty"),
        Fault("mcptt_server.ipv6_required", "1", "must be true or false"),
        Fault("mcptt_server.port", "5060", "is not known"),
        Fault("vplmns[0]", "7", "must be a table with plmn, con_refs, slices"),
        Fault("timers", "{…}", "is not known"),
        Fault("zone", "1", "is not known"),
    ]
    assert faults(document) == expected
    assert faults(dict(reversed(document.items()))) == expected


def test_what_is_nested_too_deeply_is_refused_like_anything_else():
    deep: object = {"password": "hush"}
    for _ in range(5000):
        deep = [deep]
    assert [fault.rule for fault in faults(full(kms=deep))] == ["must be a string", SECRET]


@given(
    st.dictionaries(
        st.sampled_from([*ROWS, "x509", "apn"]), json_values | st.sampled_from(list(FULL.values()))
    )
)
def test_any_document_is_read_or_refused_with_faults_of_its_own_rows(document):
    try:
        identity = read(document)
    except FaultyInput as refused:
        found = refused.faults
    else:
        found = []
        assert read(msgspec.to_builtins(identity)) == identity
    assert {re.split(r"[.\[]", fault.field)[0] for fault in found} <= {*document, "mc_system_id"}
    assert all(fault.rule for fault in found)


def test_no_row_has_a_name_that_is_taken_for_a_secret():
    """Else a secret could stand in a document that has no fault, where nobody looks for it."""
    shapes = [shape for shape in vars(server_identity).values() if _is_shape(shape)]
    names = {name for shape in shapes for name in shape.__struct_fields__}
    assert {"kms", "con_refs", "nssaa_server"} <= names
    for name in names:
        assert SECRET not in {fault.rule for fault in faults({**full(), name: None})}


def _is_shape(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, msgspec.Struct) and bool(thing.__struct_fields__)
