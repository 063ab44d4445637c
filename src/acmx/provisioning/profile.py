"""The entry for a partner MC system in a user profile document (TS 24.484 clauses 8.3, 9.3, 10.3).

An entry is known by the partner's MC system ID: it is replaced, never appended blindly. All else in the profile, of
whatever namespace, stays as it was.
"""

from collections.abc import Iterator
from copy import deepcopy

from lxml import etree

from acmx.domain.errors import InvalidDocument
from acmx.domain.faults import Fault
from acmx.provisioning.differences import alike
from acmx.provisioning.names import Profile
from acmx.provisioning.shape import text_of
from acmx.provisioning.xml import Element


def entry(names: Profile, partner: str, document: Element) -> Element:
    """The entry of a partner: its id, then its whole UE initial configuration document."""
    made = etree.Element(_in(names, names.entry), nsmap={None: names.namespace})
    etree.SubElement(made, _in(names, names.id)).text = partner
    made.append(deepcopy(document))
    return made


def put(names: Profile, profile: Element, made: Element) -> bool:
    """Put an entry into a profile, in place of any of the same partner. False where it stood there already.

    Raises InvalidDocument where this is no profile of that MC service.
    """
    must_be(names, profile)
    partner = text_of(made[0])
    standing = list(entries(names, profile, partner))
    if len(standing) == 1 and alike(standing[0], made):
        return False
    fresh = deepcopy(made)
    if not standing:
        _extension(names, profile).append(fresh)
        return True
    fresh.tail = standing[0].tail
    _parent(standing[0]).replace(standing[0], fresh)
    for double in standing[1:]:
        _parent(double).remove(double)
    return True


def remove(names: Profile, profile: Element, partner: str) -> bool:
    """Take a partner's entries out of a profile. False where there is none. Raises InvalidDocument."""
    must_be(names, profile)
    standing = list(entries(names, profile, partner))
    for found in standing:
        _parent(found).remove(found)
    return bool(standing)


def entries(names: Profile, profile: Element, partner: str) -> Iterator[Element]:
    """Those of a partner, wherever they stand in the profile."""
    for extension in _extensions(names, profile):
        for found in extension.iterchildren(_in(names, names.entry)):
            id_ = found.find(_in(names, names.id))
            if id_ is not None and text_of(id_) == partner:
                yield found


def _extensions(names: Profile, profile: Element) -> list[Element]:
    return [
        extension
        for network in profile.iterchildren(_in(names, "OnNetwork"))
        for extension in network.iterchildren(_in(names, "anyExt"))
    ]


def _extension(names: Profile, profile: Element) -> Element:
    """Where entries stand; made where there is none, after what the profile's own namespace has there."""
    if found := _extensions(names, profile):
        return found[0]
    network = profile.find(_in(names, "OnNetwork"))
    if network is None:
        network = etree.SubElement(profile, _in(names, "OnNetwork"))
    own = [n for n, child in enumerate(network) if str(child.tag).startswith(f"{{{names.namespace}}}")]
    made = etree.Element(_in(names, "anyExt"))
    network.insert(own[-1] + 1 if own else 0, made)
    return made


def must_be(names: Profile, profile: Element) -> None:
    """Raises InvalidDocument where this is no profile of that MC service."""
    if profile.tag != _in(names, names.root):
        rule = f"must be {names.root} of namespace {names.namespace}"
        raise InvalidDocument([Fault(f"line {profile.sourceline}", str(profile.tag), rule)])


def _parent(element: Element) -> Element:
    parent = element.getparent()
    if parent is None:
        raise ValueError(element.tag)
    return parent


def _in(names: Profile, name: str) -> str:
    return f"{{{names.namespace}}}{name}"
