"""The check of any UE initial configuration document: the thirteen changes (C15), and what no schema says."""

import re
from collections.abc import Callable

import pytest
from lxml import etree

from acmx.domain.errors import InvalidDocument
from acmx.provisioning.names import UE_NAMESPACE, ue
from acmx.provisioning.ue_shape import check
from acmx.provisioning.xml import parse, write
from support.systems.provisioning import CON_REFS, answer, document, schema, standards

Change = Callable[[str], str]
FULL = write(
    document(
        answer(mcdata_server={"uri": "sip:mcdata@b.example", "ipv6_required": True}),
        mc_system_name={"text": "Partner B", "lang": "en"},
        default_user={"id": "sip:guest@b.example", "index": 0},
        vplmns=[{"plmn": "00102", "con_refs": CON_REFS}],
        ue_scope={"imei_ranges": [{"tac": "35881234", "snr_ranges": [{"low": "10", "high": "20"}]}]},
    )
).decode()


def replaced(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert re.search(old, text, re.DOTALL), old
        return re.sub(old, new, text, count=1, flags=re.DOTALL)

    return change


def line_of(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


THIRTEEN: list[tuple[str, Change, str]] = [
    ("1 no @domain", replaced(r' domain="[^"]*"', ""), "@domain"),
    ("2 T100=300", replaced("<T100>2<", "<T100>300<"), "T100"),
    ("3 no http-proxy", replaced(r"<http-proxy>.*?</http-proxy>", ""), "http-proxy"),
    ("4 gms and cms swapped", replaced(r"(<gms>.*?</gms>)\s*(<cms>.*?</cms>)", r"\2\1"), "gms"),
    ("5 no Timers", replaced(r"<Timers>.*?</Timers>", ""), "Timers"),
    (
        "6 Service-Details outside anyExt",
        replaced(r"<anyExt>\s*(<MCPTT-Service-Details>.*?</MCPTT-Service-Details>)", r"\1<anyExt>"),
        "MCPTT-Service-Details",
    ),
    ("7 no Server-URI", replaced(r"<Server-URI>.*?</Server-URI>", ""), "Server-URI"),
    ("8 @domain is no URI", replaced(r' domain="[^"]*"', ' domain="not a uri %%"'), "@domain"),
    ("9 gms empty", replaced(r"<gms>.*?</gms>", "<gms></gms>"), "gms"),
    ("10 two on-network", replaced(r"(<on-network>.*</on-network>)", r"\1\1"), "on-network"),
    ("11 empty root", replaced(r"<mcptt-UE-id>.*</on-network>", ""), "on-network"),
    ("12 PLMN=banana", replaced('PLMN="00101"', 'PLMN="banana"'), "HPLMN/@PLMN"),
    ("13 unknown element in anyExt", replaced(r"<anyExt>", "<anyExt><Surprise/>"), "Surprise"),
]
MORE: list[tuple[str, Change, str]] = [
    ("empty con-ref", replaced(r"<MC-ID-to-con-ref>.*?<", "<MC-ID-to-con-ref> <"), "MC-ID-to-con-ref"),
    (
        "two default user profiles",
        replaced(r"(<Default-user-profile[^>]*/>)", r"\1\1"),
        "Default-user-profile",
    ),
    (
        "one Service-Details twice",
        replaced(r"(<MCData-Service-Details>.*?</MCData-Service-Details>)", r"\1\1"),
        "MCData-Service-Details",
    ),
    ("IPv6-Required=maybe", replaced(r"<IPv6-Required>false", "<IPv6-Required>maybe"), "IPv6-Required"),
    ("TAC=-1.5", replaced("<TAC>35881234", "<TAC>-1.5"), "TAC"),
    ("Low-SNR above High-SNR", replaced("<Low-SNR>10", "<Low-SNR>21"), "SNR-range"),
    ("VPLMN is HPLMN", replaced('VPLMN PLMN="00102"', 'VPLMN PLMN="00101"'), "VPLMN"),
    ("mailto", replaced("<kms>https://[^<]*<", "<kms>mailto:kms@b.example<"), "kms"),
    ("two names of a language", replaced(r"(<name .*?</name>)", r"\1\1"), "name"),
    ("text between elements", replaced("<Timers>", "stray<Timers>"), "on-network"),
    ("foreign element where none may stand", replaced("<Timers>", '<Timers><x xmlns="urn:x"/>'), "Timers/x"),
    ("attribute that nobody knows", replaced("<on-network>", '<on-network zone="1">'), ""),
]


def test_what_is_written_here_has_no_fault() -> None:
    assert check(parse(FULL.encode())) == []


def test_the_example_of_the_standard_has_no_fault() -> None:
    assert check(parse(standards("ue-init-config-example.xml").read_bytes())) == []


@pytest.mark.parametrize(("change", "place"), [case[1:] for case in THIRTEEN], ids=[c[0] for c in THIRTEEN])
def test_c15_each_of_the_thirteen_changes_is_refused(change: Change, place: str) -> None:
    faults = check(parse(change(FULL).encode()))
    assert [fault for fault in faults if place in fault.field and fault.rule], faults
    assert all(re.match(r"line \d+, ", fault.field) for fault in faults)


@pytest.mark.parametrize(("change", "place"), [case[1:] for case in MORE[:-1]], ids=[c[0] for c in MORE[:-1]])
def test_what_no_schema_says_is_refused(change: Change, place: str) -> None:
    faults = check(parse(change(FULL).encode()))
    assert [fault for fault in faults if place in fault.field and fault.rule], faults


@pytest.mark.parametrize("change", [case[1] for case in THIRTEEN[:6]], ids=[c[0] for c in THIRTEEN[:6]])
def test_the_schema_rejects_the_first_six_as_well(change: Change) -> None:
    assert not schema("ue-init-config.rel13.xsd").validate(parse(change(FULL).encode()))


def test_line_and_element_are_named_and_every_fault_at_once() -> None:
    text = FULL.replace("<T100>2<", "<T100>x<").replace("<T132>3<", "<T132>999<")
    assert [(fault.field, fault.value) for fault in check(parse(text.encode()))] == [
        (f"line {line_of(text, '<T100>')}, mcptt-UE-initial-configuration/on-network/Timers/T100", "x"),
        (f"line {line_of(text, '<T132>')}, mcptt-UE-initial-configuration/on-network/Timers/T132", "999"),
    ]


def test_what_others_add_in_their_own_namespace_is_let_be() -> None:
    vendor = '<v:x xmlns:v="urn:vendor"><v:y/></v:x>'
    for place in ("</on-network>", "</anyExt>", "</mcptt-UE-initial-configuration>"):
        assert check(parse(FULL.replace(place, vendor + place).encode())) == []


@pytest.mark.parametrize("root", ["<x/>", f'<on-network xmlns="{UE_NAMESPACE}"/>'])
def test_another_document_is_named_as_such(root: str) -> None:
    assert [fault.rule for fault in check(parse(root.encode()))] == [
        f"must be mcptt-UE-initial-configuration of namespace {UE_NAMESPACE}"
    ]


# XML that attacks.

ENTITY = '<!DOCTYPE r [<!ENTITY a "{}">]>'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "text",
    [
        ENTITY.format("x") + "<r>&a;</r>",
        '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r>&a;</r>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><r/>',
        '<!DOCTYPE r PUBLIC "-//x//y" "file:///etc/passwd"><r/>',
        f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]><r a="&l11;">&l11;</r>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><r/>',
        "<r>" + "<a>" * 5000 + "</a>" * 5000 + "</r>",
        f"<r>{'x' * (9 * 1024 * 1024)}</r>",
        f'<r a="{"x" * (9 * 1024 * 1024)}"/>',
        "<r>",
        "",
        "<r>&nothing;</r>",
    ],
    ids=[
        "entity",
        "file",
        "dtd",
        "public",
        "laughs",
        "parameter",
        "deep",
        "huge",
        "attribute",
        "open",
        "none",
        "?",
    ],
)
def test_xml_that_attacks_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument):
        parse(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_only_utf_8_is_read(encoding: str) -> None:
    with pytest.raises(InvalidDocument):
        parse('<?xml version="1.0"?><r>é</r>'.encode(encoding))


def test_a_byte_order_mark_is_no_fault() -> None:
    assert etree.QName(parse(b"\xef\xbb\xbf<r/>")).localname == "r"


def test_an_xinclude_stays_what_it_is() -> None:
    text = '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></r>'
    assert b"root:" not in write(parse(text.encode()))


def test_the_namespace_is_the_one_of_every_release() -> None:
    assert ue("x") == "{urn:3gpp:mcptt:mcpttUEinitConfig:1.0}x"
