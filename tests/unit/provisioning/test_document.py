"""The UE initial configuration document: what is made, from what, and what is refused (C1 to C7, C14)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from acmx.domain.errors import FaultyInput, InvalidDocument, NotProvisionable
from acmx.domain.server_identity import ROWS
from acmx.provisioning.document import make
from acmx.provisioning.names import ue
from acmx.provisioning.shape import text_of
from acmx.provisioning.template import Template
from acmx.provisioning.ue_shape import check
from acmx.provisioning.xml import parse, write
from support.systems.provisioning import CON_REFS, answer, catalogue, document, of_template, schema, standards

SERVERS = ("mcptt_server", "mcvideo_server", "mcdata_server", "common_core_server", "idm_server")
NAMES = ["MCPTT", "MCVideo", "MCData", "MCCommonCore", "MCIdM"]


def details(root: etree._Element) -> list[str]:
    extension = root.find(f"{ue('on-network')}/{ue('anyExt')}")
    assert extension is not None
    return [etree.QName(d).localname.removesuffix("-Service-Details") for d in extension]


def test_c1_a_minimal_answer_and_a_template_make_a_valid_document() -> None:
    root = document()
    assert check(root) == []
    assert root.get("domain") == "mc.partner-b.example.net"
    timers = root.find(f"{ue('on-network')}/{ue('Timers')}")
    assert timers is not None
    assert [text_of(t) for t in timers] == ["2", "2", "5", "2", "3"]


def test_c2_all_services_give_five_service_details_in_their_order() -> None:
    servers = {key: {"uri": f"sip:{key}@b.example", "ipv6_required": False} for key in SERVERS}
    assert details(document(answer(**servers))) == NAMES


def test_c3_mcdata_only_has_no_mcvideo_block() -> None:
    assert details(document(catalogue("mcdata-only.toml"))) == ["MCData"]
    assert "MCVideo" not in details(document(catalogue("railway-frmcs.toml")))


@pytest.mark.law(14)
@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if row.must and row.source == "B"][1:])
def test_c4_without_a_required_address_nothing_is_made(key: str) -> None:
    with pytest.raises(NotProvisionable) as refused:
        make(answer(**{key: None}), of_template())
    assert [fault.field for fault in refused.value.faults] == [key]


@pytest.mark.law(14)
def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(NotProvisionable) as refused:
        make(answer(kms=None, gms=None, mcptt_server=None), Template())
    assert [fault.field for fault in refused.value.faults] == [
        *("gms", "kms", "mcptt_server or mcvideo_server or mcdata_server"),
        *("group_creation_xui", "tls_tunnel_auth", "hplmn"),
    ]


@pytest.mark.law(14)
@pytest.mark.parametrize(
    ("key", "value"), [("gms", ""), ("kms", "kms.b.example"), ("cms", "mailto:a@b.example")]
)
def test_c5_an_address_that_is_empty_or_no_uri_is_refused(key: str, value: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        answer(**{key: value})
    assert [fault.field for fault in refused.value.faults] == [key]


def test_c6_each_ipv6_flag_stands_in_its_own_block() -> None:
    flags = dict(zip(SERVERS, [True, False, True, False, True], strict=True))
    servers = {key: {"uri": f"sip:{key}@b.example", "ipv6_required": flag} for key, flag in flags.items()}
    extension = document(answer(**servers)).find(f"{ue('on-network')}/{ue('anyExt')}")
    assert extension is not None
    found = [text_of(d[0]) for d in extension]
    assert found == ["true", "false", "true", "false", "true"]


def test_c7_the_same_values_give_the_same_bytes() -> None:
    assert write(document()) == write(document())
    assert write(parse(write(document()))) == write(document())


def test_c14_the_release_13_schema_takes_what_is_written_with_and_without_extensions() -> None:
    rules = schema("ue-init-config.rel13.xsd")
    whole = make(catalogue("metro-police.toml"), of_template())[0]
    plain = make(catalogue("metro-police.toml"), of_template(), rel13=True)[0]
    for root in (whole, plain, document()):
        assert rules.validate(parse(write(root))), rules.error_log
    assert ue("anyExt") in {element.tag for element in whole.iter()}
    assert ue("anyExt") not in {element.tag for element in plain.iter()}


def test_xmlschema_agrees() -> None:
    xmlschema = pytest.importorskip("xmlschema")
    rules = xmlschema.XMLSchema(str(standards("ue-init-config.rel13.xsd")), allow="local")
    rules.validate(write(document()).decode())


def test_the_answer_comes_before_the_template_and_each_value_names_its_source() -> None:
    given = answer(group_creation_xui="sip:theirs@b.example")
    root, values = make(given, of_template())
    assert text_of(root.find(f"{ue('on-network')}/{ue('group-creation-XUI')}")) == "sip:theirs@b.example"
    assert values.sources["group_creation_xui"] == values.sources["kms"] == "answer"
    assert values.sources["timers"] == values.sources["hplmn"] == "template"


def test_secrets_of_the_template_stay_with_the_answer_s_way_of_authenticating() -> None:
    given = answer(tls_tunnel_auth={"mutual": True})
    root = make(given, of_template(tls_tunnel_auth={"mutual": False, "x509": "CERT", "key": "KEY"}))[0]
    tunnel = root.find(f"{ue('on-network')}/{ue('App-Server-Info')}/{ue('tls-tunnel-auth-method')}")
    assert tunnel is not None
    assert [text_of(child) for child in tunnel] == ["true", "CERT", "KEY"]


def test_everything_that_a_template_can_say_stands_in_the_document() -> None:
    scope = {
        "instance_ids": ["urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
        "imei_ranges": [{"tac": "35881234", "snr": ["7"], "snr_ranges": [{"low": "10", "high": "20"}]}],
    }
    root = document(
        admin_xui="sip:admin@mc.primary-a.example.net",
        mc_system_name={"text": "Partner B", "lang": "en"},
        default_user={"id": "sip:guest@b.example", "index": 3},
        vplmns=[{"plmn": "00102", "con_refs": CON_REFS, "slices": {"mcvideo": "01-0000A1"}}],
        snssai=[{"snssai": "01-1", "nssaa_server": "https://nssaa.b.example"}],
        idm_client_id="client",
        ue_scope=scope,
    )
    assert check(root) == []
    assert [etree.QName(child).localname for child in root] == [
        *("mcptt-UE-id", "name", "Default-user-profile", "on-network")
    ]
    written = write(root).decode()
    for text in ("01-0000A1", "35881234", "<Idm-Client-Id>client<", 'PLMN="00102"', 'SNSSAI="01-1"'):
        assert text in written


def test_servers_without_an_element_of_their_own_come_only_if_asked_for() -> None:
    given = answer(acm_server="https://acm.b.example")
    assert b"acm.b.example" not in write(document(given))
    root = document(given, own_servers=True)
    assert b"<acmx:acm-server>https://acm.b.example<" in write(root)
    assert check(root) == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"timers": {"t100": 300}}, ["timers.t100"]),
        ({"timers": {"t100": "2"}}, ["timers.t100"]),
        ({"hplmn": {"plmn": "1", "con_refs": CON_REFS}}, ["hplmn.plmn"]),
        ({"ue_scope": {}}, ["ue_scope"]),
        ({"ue_scope": {"imei_ranges": [{"tac": "-1.5"}]}}, ["ue_scope.imei_ranges[0].tac"]),
        ({"zone": 1}, ["zone"]),
        ({"kms": "https://kms.b.example"}, ["kms"]),
    ],
)
def test_a_template_that_breaks_a_rule_is_refused(changes: dict[str, object], fields: list[str]) -> None:
    with pytest.raises(FaultyInput) as refused:
        of_template(**changes)
    assert [fault.field for fault in refused.value.faults] == fields


def test_a_visited_network_that_is_the_home_network_is_found_in_the_document() -> None:
    given = answer(hplmn={"plmn": "00101", "con_refs": CON_REFS})
    with pytest.raises(InvalidDocument, match="must be another network"):
        document(given, vplmns=[{"plmn": "00101", "con_refs": CON_REFS}])


@given(st.sampled_from(["line", "kms", "name"]), st.text(max_size=20))
@settings(max_examples=50)
def test_whatever_text_is_given_the_document_is_valid_or_nothing_is_made(place: str, text: str) -> None:
    try:
        if place == "kms":
            root = document(answer(kms=f"https://kms.b.example/{text}"))
        elif place == "name":
            root = document(mc_system_name={"text": text, "lang": "en"})
        else:
            root = document(idm_client_id=text)
    except FaultyInput:
        return
    assert check(parse(write(root))) == []
