"""The rules of XCAP, each against the answers of a CMS that the test makes up."""

import pytest
from lxml import etree

from acmx.provisioning import profile as profiles
from acmx.provisioning import work
from acmx.provisioning.differences import alike
from acmx.provisioning.names import PROFILES, UE_AUID, UE_MIME
from acmx.provisioning.xcap import (
    READS,
    REDIRECTS,
    Again,
    Failed,
    Hold,
    Outcome,
    Response,
    document_url,
)
from acmx.provisioning.xcap_error import explain
from acmx.provisioning.xml import parse, write
from support.partner.xcap import AUIDS, CAPS, OTHER_PARTNER, error_body, profile
from support.systems.provisioning import answer, document

USER = "sip:alice@a.example"
ROOT = "https://cms.a.example/xcap"
NAMES = PROFILES["mcvideo"]
URL = document_url(ROOT, NAMES.auid, USER, NAMES.file(0))
PLACE = work.Place(URL, NAMES)
PARTNER = "mc.partner-b.example.net"
UE = document(answer())
ENTRY = profiles.entry(NAMES, PARTNER, UE)
PROFILE = profile("mcvideo", USER)
OK = Response(200, {})


def got(body=PROFILE, tag='"1"'):
    return Response(200, {"etag": tag} if tag else {}, body)


def drive(asked, *replies):
    """The end, and what was asked until then; every reply must have been wanted."""
    requests, left = [], list(replies)
    try:
        requests.append(next(asked))
        while True:
            requests.append(asked.send(left.pop(0)))
    except StopIteration as end:
        assert not left
        return end.value, requests


def push(*replies, **given):
    return drive(work.put_entry(PLACE, ENTRY, **given), *replies)


def with_entry(body=PROFILE, names=NAMES):
    root = parse(body)
    assert profiles.put(names, root, profiles.entry(names, PARTNER, UE))
    return etree.tostring(root)


def test_an_entry_is_written_on_condition_and_all_else_stays_as_it_was():
    end, (get, put) = push(got(), OK)
    assert end == Outcome("written")
    assert (get.method, get.url) == ("GET", URL)
    assert (put.method, put.url) == ("PUT", URL)
    assert put.headers == {"Content-Type": NAMES.mime, "If-Match": '"1"'}
    root = parse(put.body)
    assert list(profiles.entries(NAMES, root, OTHER_PARTNER))
    assert profiles.remove(NAMES, root, PARTNER)
    assert etree.tostring(root.getroottree(), method="c14n") == etree.tostring(
        parse(PROFILE).getroottree(), method="c14n"
    )


def test_c8_what_stands_there_already_is_not_written_and_an_older_entry_is_replaced():
    assert push(got(with_entry()))[0] == Outcome("unchanged")
    older = with_entry().replace(b"<T100>2<", b"<T100>9<")
    end, requests = push(got(older), OK)
    assert end == Outcome("written")
    assert len(list(profiles.entries(NAMES, parse(requests[1].body), PARTNER))) == 1
    assert b"<T100>9<" not in requests[1].body


def test_c9_two_partners_have_two_entries():
    _, requests = push(got(), OK)
    entries = parse(requests[1].body).iter(f"{{{NAMES.namespace}}}{NAMES.entry}")
    assert [entry[0].text for entry in entries] == [OTHER_PARTNER, PARTNER]


@pytest.mark.parametrize("prefix", ["", "p"])
def test_what_was_written_is_unchanged_when_read_again_whatever_prefix_the_profile_has(prefix):
    _, requests = push(got(profile("mcvideo", USER, prefix=prefix)), OK)
    assert push(got(requests[1].body))[0] == Outcome("unchanged")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_every_success_counts(status):
    assert push(got(), Response(status))[0] == Outcome("written")


def test_c10_changed_by_somebody_else_it_is_read_and_merged_again():
    changed = PROFILE.replace(b"<v:unknown/>", b"<v:unknown/><v:theirs/>")
    end, requests = push(got(), Response(412), got(changed, '"2"'), OK)
    assert end == Outcome("written")
    assert requests[3].headers["If-Match"] == '"2"'
    assert b"<v:theirs/>" in requests[3].body


def test_somebody_who_changes_it_each_time_does_not_keep_us_for_ever():
    end, requests = push(*[got(), Response(412)] * work.TRIES)
    assert (end.state, len(requests)) == ("failed", 2 * work.TRIES)
    assert "somebody else" in end.detail


def test_without_an_etag_it_is_read_again_and_never_written_unconditionally():
    assert push(got(tag=None), got(tag='"3"'), OK)[0] == Outcome("written")
    for tag in (None, 'W/"1"'):
        end, requests = push(*[got(tag=tag)] * READS)
        assert (end.state, {r.method for r in requests}) == ("failed", {"GET"})
        assert "ETag" in end.detail


ERRORS = [
    ("<schema-validation-error phrase='line 3'/>", ["schema-validation-error", "line 3"]),
    ("<not-xml-frag/>", ["not-xml-frag"]),
    ("<no-parent><ancestor>http://x/users</ancestor></no-parent>", ["no-parent", "http://x/users"]),
    ("<cannot-insert/>", ["cannot-insert"]),
    ("<cannot-delete/>", ["cannot-delete"]),
    ("<not-xml-att-value/>", ["not-xml-att-value"]),
    (
        (
            "<uniqueness-failure><exists field='a/@b'><alt-value>1</alt-value><alt-value>2</alt-value></exists>"
            "<exists field='c'/></uniqueness-failure>"
        ),
        ["uniqueness-failure", "a/@b, free are: 1, 2", "; c"],
    ),
    ("<not-well-formed/>", ["not-well-formed"]),
    ("<constraint-failure phrase='no such &#xFC;ser'/>", ["constraint-failure", "no such üser"]),
    ("<not-utf-8/>", ["not-utf-8"]),
    ("<extension><quota xmlns='urn:vendor'>full</quota></extension>", ["extension", "quota full"]),
]


@pytest.mark.parametrize(("child", "said"), ERRORS)
def test_c11_a_409_is_explained_and_the_same_body_is_never_sent_again(child, said):
    end, requests = push(got(), Response(409, {}, error_body(child)))
    assert (end.state, len(requests)) == ("failed", 2)
    assert all(words in end.detail for words in said), end.detail


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "without a reason"),
        (b"no\x1b[31m way", "no [31m way"),
        (b"<html><body>nope</body></html>", "nope"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE"),
        (error_body("<no-parent/><cannot-insert/>"), "without a reason"),
        (b"x" * 9999, "xxx"),
    ],
)
def test_a_409_without_a_proper_body_is_quoted_as_far_as_it_goes(body, said):
    found = explain(body)
    assert said in found
    assert found.isprintable()
    assert len(found) <= 500


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Response(404), "no such profile"),
        (Response(410), "no such profile"),
        (Response(403), "403"),
        (Response(400), "400"),
        (Response(405, {"allow": "PUT"}), "allows PUT"),
        (Response(204), "204"),
        (Response(200, {"etag": '"1"'}, b"no xml"), "not well-formed"),
        (Response(200, {"etag": '"1"'}, b"<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>"), "document type"),
        (Response(200, {"etag": '"1"'}, b"<r/>"), "must be mcvideo-user-profile"),
    ],
)
def test_what_makes_a_row_fail_is_said_in_plain_words(reply, said):
    end, requests = push(reply)
    assert (end.state, len(requests)) == ("failed", 1)
    assert said in end.detail


def test_who_asks_is_not_known_and_everything_waits():
    end, _ = push(Response(401, {"www-authenticate": 'Bearer error="invalid_token"'}))
    assert isinstance(end, Hold)
    assert end.refused
    assert not end.counted
    assert "invalid_token" in end.reason


@pytest.mark.parametrize(("given", "after"), [("17", 17.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_cms_that_asks_to_wait_is_left_alone(status, given, after):
    end, _ = push(got(), Response(status, {"retry-after": given}))
    assert isinstance(end, Hold)
    assert (end.after, end.counted, end.doubtful) == (after, False, True)


def test_after_a_5xx_the_row_is_tried_again_and_may_have_been_written():
    assert push(Response(500))[0] == Again("the CMS answers 500")
    assert push(got(), Response(503))[0] == Again("the CMS answers 503", doubtful=True)


def test_written_before_the_connection_dropped_it_is_found_so():
    end, _ = push(got(), Failed("cut"))
    assert isinstance(end, Hold)
    assert (end.doubtful, end.counted) == (True, True)
    assert push(got(with_entry()), doubtful=True)[0].state == "written"
    assert push(got(), OK, doubtful=True)[0] == Outcome("written")
    assert push(Failed("cut"))[0].doubtful is False
    repeated_on_the_way = push(got(), Response(412), got(with_entry(), '"2"'))
    assert repeated_on_the_way[0].state == "written"


def test_redirects_of_the_same_host_are_followed_and_no_others():
    moved = Response(307, {"location": "/elsewhere/doc"})
    end, requests = push(moved, got(), Response(308, {"location": f"{ROOT}/there"}), OK)
    assert end == Outcome("written")
    assert [r.url for r in requests] == [URL, "https://cms.a.example/elsewhere/doc", URL, f"{ROOT}/there"]
    assert requests[3].body == requests[2].body
    assert push(*[moved] * (REDIRECTS + 1))[0].state == "failed"
    for status, place in [
        (307, "https://elsewhere.example/x"),
        (307, "http://cms.a.example/xcap"),
        (308, "https://cms.a.example:8443/xcap"),
        (302, "/xcap"),
        (303, "/xcap"),
        (307, ""),
        (304, ""),
    ]:
        end, requests = push(Response(status, {"location": place} if place else {}))
        assert (end.state, len(requests)) == ("failed", 1)
        assert str(status) in end.detail


def test_entries_are_taken_out_again_and_where_there_is_none_nothing_is_written():
    end, requests = drive(work.remove_entry(PLACE, PARTNER), got(with_entry()), Response(204))
    assert end == Outcome("written")
    assert OTHER_PARTNER.encode() in requests[1].body
    assert PARTNER.encode() not in requests[1].body
    assert drive(work.remove_entry(PLACE, PARTNER), got())[0] == Outcome("unchanged")
    assert drive(work.remove_entry(PLACE, PARTNER), Response(404))[0] == Outcome("unchanged")


def test_a_preview_reads_only_and_names_what_would_change():
    def preview(*replies):
        return drive(work.compare_entry(PLACE, ENTRY), *replies)

    assert preview(got(tag=None))[0] == Outcome("different", "new entry")
    assert preview(got(with_entry()))[0] == Outcome("unchanged")
    older = with_entry().replace(b"<T100>2<", b"<T100>9<").replace(b"<gms>https://", b"<gms>https://old.")
    end, requests = preview(got(older))
    at = f"{NAMES.entry}/mcptt-UE-initial-configuration/on-network"
    assert f"{at}/Timers/T100: 9 -> 2" in end.detail.splitlines()
    assert any("App-Server-Info/gms: https://old." in line for line in end.detail.splitlines())
    assert [r.method for r in requests] == ["GET"]
    assert preview(got(b"<r/>"))[0].state == "failed"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("<a><b c='1'>x</b>\n  <d/></a>", True),
        ("<a><e c='1'>x</e><d/></a>", False),
        ("<a><b c='2'>x</b><d/></a>", False),
        ("<a><b c='1'>y</b><d/></a>", False),
        ("<a><b c='1'> x</b><d/></a>", False),
        ("<a><b c='1'>x</b></a>", False),
        ("<a><b c='1'>x</b>stray<d/></a>", False),
    ],
)
def test_what_is_alike(other, same):
    assert alike(parse(b"<a><b c='1'>x</b><d/></a>"), parse(other.encode())) is same


UE_URL = document_url(ROOT, UE_AUID, "sip:admin@a.example", "ue-init-config-b.xml")
XML = write(UE)


def test_the_document_is_created_only_where_there_is_none_and_else_replaced():
    end, requests = drive(work.put_document(UE_URL, XML), Response(404), Response(201))
    assert end == Outcome("written")
    assert requests[1].headers == {"Content-Type": UE_MIME, "If-None-Match": "*"}
    assert requests[1].body == XML
    older = XML.replace(b"<T100>2<", b"<T100>9<")
    end, requests = drive(
        work.put_document(UE_URL, XML), Response(404), Response(412), got(older, '"7"'), Response(200)
    )
    assert end == Outcome("written")
    assert requests[3].headers["If-Match"] == '"7"'
    assert drive(work.put_document(UE_URL, XML), got(XML.replace(b"\n", b"")))[0] == Outcome("unchanged")


def test_the_document_is_deleted_on_condition():
    end, requests = drive(work.remove_document(UE_URL), got(XML), Response(412), got(XML, '"2"'), OK)
    assert end == Outcome("written")
    assert (requests[3].method, requests[3].headers, requests[3].body) == (
        "DELETE",
        {"If-Match": '"2"'},
        None,
    )
    assert drive(work.remove_document(UE_URL), Response(404))[0] == Outcome("unchanged")
    gone = drive(work.remove_document(UE_URL), got(XML), Response(404), Response(404))[0]
    assert gone.state == "written"


def test_a_preview_of_the_document():
    assert drive(work.compare_document(UE_URL, XML), Response(404))[0] == Outcome("different", "new document")
    older = got(XML.replace(b"<T100>2<", b"<T100>9<"))
    assert "T100: 9 -> 2" in drive(work.compare_document(UE_URL, XML), older)[0].detail


def caps(*auids):
    named = "".join(f"<auid>{auid}</auid>" for auid in auids)
    return Response(200, {}, f'<xcap-caps xmlns="{CAPS}"><auids>{named}</auids></xcap-caps>'.encode())


def test_the_cms_must_know_our_application_usages():
    wanted = [UE_AUID, NAMES.auid]
    end, requests = drive(work.capabilities(ROOT, wanted), caps(*AUIDS))
    assert end.state == "unchanged"
    assert requests[0].url == f"{ROOT}/xcap-caps/global/index"
    end, _ = drive(work.capabilities(ROOT, wanted), caps(UE_AUID))
    assert (end.state, end.detail) == ("failed", f"the CMS does not know: {NAMES.auid}")
    for reply in (Response(404), Response(200, {}, b"<r/>"), Response(200, {}, b"")):
        assert drive(work.capabilities(ROOT, wanted), reply)[0].state == "failed"


def test_places_are_percent_encoded_and_the_scheme_is_written_once():
    root = "https://cms.a.example/xcap/"
    assert f"{root}org.3gpp.mcvideo.user-profile/users/sip:alice@a.example/mcvideo-user-profile-0.xml" == URL
    strange = document_url(root, NAMES.auid, "sip:a/b?c#d%e ü@x;p=1", "f.xml")
    assert strange.endswith("/users/sip:a%2Fb%3Fc%23d%25e%20%C3%BC@x;p=1/f.xml")
    assert document_url(root, NAMES.auid, "tel:+15550100", "f.xml").endswith("/users/tel:+15550100/f.xml")
