"""The shape of an XML document as a table, and the check of a document against it: every fault, with line and path."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from lxml import etree

from acmx.domain.faults import Fault
from acmx.domain.identities import shown
from acmx.domain.rules import Rule
from acmx.provisioning.xml import Element

Also = Callable[[Element, str], Iterator[Fault]]


class Child(NamedTuple):
    """How often an element may stand in its parent; `most` None: without end."""

    name: str
    shape: "Shape"
    least: int = 1
    most: int | None = 1


class Shape(NamedTuple):
    """What an element holds: text of a rule, or children; `required` and `attributes` are those without a prefix.

    Children stand in the order of the table if `ordered`. `open` admits elements of other namespaces, `lax` anything
    at all, `also` is what no table can say.
    """

    text: Rule | None = None
    children: tuple[Child, ...] = ()
    ordered: bool = True
    required: Mapping[str, Rule] = {}
    attributes: Mapping[str, Rule] = {}
    open: bool = False
    lax: bool = False
    also: Also | None = None


def faults(element: Element, shape: Shape, path: str = "") -> Iterator[Fault]:
    """What is wrong with an element, in the order of the document as far as it has one."""
    path = path or local(element)
    if shape.lax:
        return
    yield from _attributes(element, shape, path)
    if shape.text is not None:
        yield from _text(element, shape.text, path)
        return
    yield from _children(element, shape, path)
    if shape.also is not None:
        yield from shape.also(element, path)


def fault(element: Element, path: str, rule: str, value: str = "") -> Fault:
    return Fault(f"line {element.sourceline}, {path}", shown(value), rule)


def local(element: Element) -> str:
    return etree.QName(element).localname


def text_of(element: Element) -> str:
    """Without the white space around it, as the schema's types collapse it."""
    return (element.text or "").strip(" \t\r\n")


def elements(element: Element) -> Iterator[Element]:
    """Children that are neither comments nor processing instructions."""
    return element.iterchildren(tag=etree.Element)


def _attributes(element: Element, shape: Shape, path: str) -> Iterator[Fault]:
    known = {**shape.required, **shape.attributes}
    for name in shape.required:
        if element.get(name) is None:
            yield fault(element, f"{path}/@{name}", "is missing")
    for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
        text = value.strip(" \t\r\n")
        if name in known:
            if broken := known[name](text) if text else "must not be empty":
                yield fault(element, f"{path}/@{name}", broken, text)
        elif not name.startswith("{") and not shape.open:
            yield fault(element, f"{path}/@{name}", "is not known here")


def _text(element: Element, rule: Rule, path: str) -> Iterator[Fault]:
    text = text_of(element)
    if next(elements(element), None) is not None:
        yield fault(element, path, "must hold text, not elements")
    elif broken := rule(text) if text else "must not be empty":
        yield fault(element, path, broken, text)


def _children(element: Element, shape: Shape, path: str) -> Iterator[Fault]:
    places = {child.name: n for n, child in enumerate(shape.children)}
    namespace = etree.QName(element).namespace
    counts = dict.fromkeys(places, 0)
    furthest = -1
    strays = [element.text, *(child.tail for child in element)]
    if any(stray and stray.strip() for stray in strays):
        yield fault(element, path, "must hold elements, not text")
    for found in elements(element):
        name = etree.QName(found)
        at = f"{path}/{name.localname}"
        if name.namespace != namespace:
            if not shape.open:
                yield fault(found, at, f"of namespace {name.namespace or 'none'} must not stand here")
            continue
        if name.localname not in places:
            yield fault(found, at, "is no element that may stand here")
            continue
        place = places[name.localname]
        child = shape.children[place]
        counts[child.name] += 1
        if child.most is not None and counts[child.name] == child.most + 1:
            yield fault(found, at, f"must not occur more than {'once' if child.most == 1 else child.most}")
        if shape.ordered and place < furthest:
            yield fault(found, at, f"must come before {shape.children[furthest].name}")
        furthest = max(furthest, place)
        index = f"[{counts[child.name]}]" if child.most != 1 else ""
        yield from faults(found, child.shape, at + index)
    for child in shape.children:
        if counts[child.name] < child.least:
            yield fault(element, f"{path}/{child.name}", "is missing")
