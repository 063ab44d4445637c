"""The work on one document of the CMS: an entry in a user profile, or the UE initial configuration document.

Nothing is written but on condition that nobody changed it since it was read, and never the same after a 409.
"""

from lxml import etree
from msgspec import Struct

from acmx.domain.errors import InvalidDocument
from acmx.domain.faults import Fault
from acmx.provisioning import profile
from acmx.provisioning.differences import alike, differences
from acmx.provisioning.names import UE_MIME, Profile
from acmx.provisioning.shape import text_of
from acmx.provisioning.xcap import (
    Found,
    Outcome,
    Request,
    Work,
    ask,
    failed,
    read,
    work,
    write,
)
from acmx.provisioning.xml import Element, parse

TRIES = 5
CAPS_NAMESPACE = "urn:ietf:params:xml:ns:xcap-caps"
_KEEPS_CHANGING = f"somebody else changed it each time, {TRIES} times"


class Place(Struct, frozen=True):
    """A user profile on the CMS."""

    url: str
    names: Profile


@work
def capabilities(root: str, auids: list[str]) -> Work:
    """Whether the CMS knows all these application usages."""
    reply = yield from ask(Request("GET", f"{root.rstrip('/')}/xcap-caps/global/index"))
    if reply.status != 200:
        raise failed(f"the CMS does not tell what it can: xcap-caps is answered by {reply.status}")
    caps = parse(reply.body)
    if caps.tag != f"{{{CAPS_NAMESPACE}}}xcap-caps":
        raise InvalidDocument([Fault("xcap-caps", "", "is of another kind")])
    known = {text_of(auid) for auid in caps.iterfind(f"{{{CAPS_NAMESPACE}}}auids/{{{CAPS_NAMESPACE}}}auid")}
    if lacking := [auid for auid in auids if auid not in known]:
        raise failed(f"the CMS does not know: {', '.join(lacking)}")
    return Outcome("unchanged")


@work
def put_entry(place: Place, entry: Element, *, doubtful: bool = False) -> Work:
    """Put a partner's entry in. `doubtful`: an earlier try may have written it."""
    for _ in range(TRIES):
        found = yield from read(place.url)
        if found is None:
            raise failed("the user has no such profile on the CMS (404)")
        if not profile.put(place.names, found.root, entry):
            return _stands(doubtful=doubtful)
        if (yield from write(_replacing(place.url, place.names.mime, found))):
            return Outcome("written")
        doubtful = True
    raise failed(_KEEPS_CHANGING)


@work
def remove_entry(place: Place, partner: str, *, doubtful: bool = False) -> Work:
    """Take a partner's entries out; without a profile there is none."""
    for _ in range(TRIES):
        found = yield from read(place.url)
        if found is None or not profile.remove(place.names, found.root, partner):
            return _stands(doubtful=doubtful)
        if (yield from write(_replacing(place.url, place.names.mime, found))):
            return Outcome("written")
        doubtful = True
    raise failed(_KEEPS_CHANGING)


@work
def compare_entry(place: Place, entry: Element) -> Work:
    """What `put_entry` would change."""
    found = yield from read(place.url, tagged=False)
    if found is None:
        raise failed("the user has no such profile on the CMS (404)")
    profile.must_be(place.names, found.root)
    standing = list(profile.entries(place.names, found.root, text_of(entry[0])))
    if len(standing) == 1 and alike(standing[0], entry):
        return Outcome("unchanged")
    if not standing:
        return Outcome("different", "new entry")
    doubles = [f"{len(standing)} entries become one"] if len(standing) > 1 else []
    return Outcome("different", "\n".join([*doubles, *differences(standing[0], entry)]))


@work
def compare_removed(place: Place, partner: str) -> Work:
    """What `remove_entry` would change."""
    found = yield from read(place.url, tagged=False)
    if found is None or not list(profile.entries(place.names, found.root, partner)):
        return Outcome("unchanged")
    return Outcome("different", "entry taken out")


@work
def put_document(url: str, document: bytes, *, doubtful: bool = False) -> Work:
    """Write the UE initial configuration document, new or in place of the one that is there."""
    made = parse(document)
    for _ in range(TRIES):
        found = yield from read(url)
        if found is not None and alike(found.root, made):
            return _stands(doubtful=doubtful)
        condition = {"If-None-Match": "*"} if found is None else {"If-Match": found.tag}
        if (yield from write(Request("PUT", url, {"Content-Type": UE_MIME, **condition}, document))):
            return Outcome("written")
        doubtful = True
    raise failed(_KEEPS_CHANGING)


@work
def remove_document(url: str, *, doubtful: bool = False) -> Work:
    """Delete the UE initial configuration document, if it is there."""
    for _ in range(TRIES):
        found = yield from read(url)
        if found is None:
            return _stands(doubtful=doubtful)
        if (yield from write(Request("DELETE", url, {"If-Match": found.tag}))):
            return Outcome("written")
        doubtful = True
    raise failed(_KEEPS_CHANGING)


@work
def compare_document(url: str, document: bytes) -> Work:
    """What `put_document` would change."""
    made = parse(document)
    found = yield from read(url, tagged=False)
    if found is None:
        return Outcome("different", "new document")
    if alike(found.root, made):
        return Outcome("unchanged")
    return Outcome("different", "\n".join(differences(found.root, made)))


@work
def give_up(reason: str) -> Work:
    """Nothing can be asked for this row."""
    yield from ()
    raise failed(reason)


def _stands(*, doubtful: bool) -> Outcome:
    return (
        Outcome("written", "found so after a try that may have been lost")
        if doubtful
        else Outcome("unchanged")
    )


def _replacing(url: str, mime: str, found: Found) -> Request:
    """The whole document as it was but for the entry: other namespaces stay declared, used or not."""
    body = etree.tostring(found.root.getroottree(), xml_declaration=True, encoding="UTF-8")
    return Request("PUT", url, {"Content-Type": mime, "If-Match": found.tag}, body)
