"""The entry for a partner in a user profile (C8, C9): replaced, never appended blindly, and all else let be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from acmx.domain.errors import InvalidDocument
from acmx.provisioning.names import PROFILES, Profile
from acmx.provisioning.profile import entry, put, remove
from acmx.provisioning.xml import Element, parse, write
from support.systems.provisioning import answer, document, schema

B, C = "mc.partner-b.example.net", "mc.partner-c.example.net"
NAMES = PROFILES["mcptt"]
PROFILE = """\
<mcptt-user-profile xmlns="{ns}" XUI-URI="sip:alice@a.example" user-profile-index="0" xmlns:v="urn:vendor">
  <Name>Alice</Name>
  <!-- kept -->
  <OnNetwork>
    <PrivateCall><EmergencyCall/></PrivateCall>{extension}
    <v:more a="1">text</v:more>
  </OnNetwork>
  <v:other/>
</mcptt-user-profile>"""


def profile(extension: str = "", names: Profile = NAMES) -> Element:
    text = PROFILE.format(ns=names.namespace, extension=extension)
    return parse(text.replace("mcptt-user-profile", names.root).encode())


def made(partner: str = B, names: Profile = NAMES, **changes: object) -> Element:
    return entry(names, partner, document(answer(mc_system_id=partner, **changes)))


def partners(root: Element, names: Profile = NAMES) -> list[str | None]:
    return [id_.text for id_ in root.iter(f"{{{names.namespace}}}{names.id}")]


def without_entries(root: Element) -> bytes:
    copy = parse(write(root))
    for found in list(copy.iter(f"{{{NAMES.namespace}}}{NAMES.entry}")):
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)
    for extension in list(copy.iter(f"{{{NAMES.namespace}}}anyExt")):
        parent = extension.getparent()
        if not len(extension) and parent is not None:
            parent.remove(extension)
    parser = etree.XMLParser(remove_blank_text=True)
    return etree.tostring(etree.fromstring(write(copy), parser), method="c14n")


@pytest.mark.parametrize("service", list(PROFILES))
def test_an_entry_is_put_and_taken_out_in_the_profile_of_each_service(service: str) -> None:
    names = PROFILES[service]  # type: ignore[index]
    root = profile(names=names)
    assert put(names, root, made(names=names))
    assert partners(root, names) == [B]
    assert remove(names, root, B)
    assert partners(root, names) == []
    assert not remove(names, root, B)


def test_the_names_of_mcvideo_are_those_of_the_standard() -> None:
    video = PROFILES["mcvideo"]
    assert (video.entry, video.id) == ("MigratablePartnerMCVideoSystemInfo", "PartnerMCVideoSystemId")
    assert video.namespace == "urn:3gpp:ns:mcvideo:user-profile:1.0"


def test_c8_the_entry_of_the_same_partner_is_replaced() -> None:
    root = profile()
    put(NAMES, root, made())
    assert put(NAMES, root, made(kms="https://kms2.b.example"))
    assert partners(root) == [B]
    assert b"kms2.b.example" in write(root)
    assert b"kms.mc.partner-b" not in write(root)


def test_c9_two_partners_give_two_entries() -> None:
    root = profile()
    put(NAMES, root, made())
    put(NAMES, root, made(C))
    put(NAMES, root, made(kms="https://kms2.b.example"))
    assert partners(root) == [B, C]


def test_what_stands_there_already_changes_nothing() -> None:
    root = profile()
    assert put(NAMES, root, made())
    before = write(root)
    read_again = parse(before)
    assert not put(NAMES, read_again, made())
    assert write(read_again) == before


def test_doubled_entries_become_one() -> None:
    root = profile()
    put(NAMES, root, made())
    extension = root.find(f".//{{{NAMES.namespace}}}anyExt")
    assert extension is not None
    extension.append(made(kms="https://kms2.b.example"))
    assert partners(root) == [B, B]
    assert put(NAMES, root, made())
    assert partners(root) == [B]


@pytest.mark.parametrize(
    "extension",
    [
        "",
        '<anyExt><v:x xmlns:v="urn:vendor"/></anyExt>',
        (
            "<anyExt/><anyExt><MigratablePartnerMCPTTSystemInfo><PartnerMCPTTSystemId> "
            f"{B} </PartnerMCPTTSystemId></MigratablePartnerMCPTTSystemInfo></anyExt>"
        ),
        "<anyExt><MigratablePartnerMCPTTSystemInfo><Unknown/></MigratablePartnerMCPTTSystemInfo></anyExt>",
    ],
    ids=["none", "vendor's", "second", "without id"],
)
def test_all_else_stays_as_it_was(extension: str) -> None:
    before = without_entries(profile(extension))
    root = profile(extension)
    put(NAMES, root, made())
    assert partners(root) == [B]
    assert without_entries(root) == before
    assert b"<!-- kept -->" in write(root)
    order = [etree.QName(child).localname for child in root[2]]
    assert order[-1] == "more"


def test_a_profile_without_on_network_gets_one() -> None:
    root = parse(f'<{NAMES.root} xmlns="{NAMES.namespace}" XUI-URI="sip:a@a.example"/>'.encode())
    assert put(NAMES, root, made())
    assert partners(root) == [B]


def test_another_document_is_refused() -> None:
    for text in (b"<x/>", b'<mcvideo-user-profile xmlns="urn:3gpp:ns:mcvideo:user-profile:1.0"/>'):
        with pytest.raises(InvalidDocument):
            put(NAMES, parse(text), made())


def test_the_release_13_schema_takes_a_profile_with_two_entries() -> None:
    rules = schema("mcptt-user-profile.xsd")
    text = f'<{NAMES.root} xmlns="{NAMES.namespace}" XUI-URI="sip:a@a.example" user-profile-index="0"/>'
    root = parse(text.encode())
    put(NAMES, root, made())
    put(NAMES, root, made(C))
    assert rules.validate(parse(write(root))), rules.error_log


@given(st.lists(st.tuples(st.sampled_from([B, C]), st.booleans())))
def test_after_any_changes_each_partner_has_the_last_word_once(changes: list[tuple[str, bool]]) -> None:
    root, expected = profile(), set()
    before = without_entries(root)
    for partner, there in changes:
        if there:
            put(NAMES, root, made(partner))
            expected.add(partner)
        else:
            assert remove(NAMES, root, partner) == (partner in expected)
            expected.discard(partner)
    assert sorted(map(str, partners(root))) == sorted(expected)
    assert without_entries(root) == before
