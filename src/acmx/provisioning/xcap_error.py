"""Why a CMS refuses a document: the body of its 409 in plain words (RFC 4825 section 11)."""

from collections.abc import Iterator

from lxml import etree

from acmx.domain.errors import InvalidDocument
from acmx.provisioning.shape import elements, local, text_of
from acmx.provisioning.xml import Element, parse

NAMESPACE = "urn:ietf:params:xml:ns:xcap-error"
LONGEST = 500
_WORDS = {
    "schema-validation-error": "it does not follow the schema",
    "not-xml-frag": "it is no fragment of XML",
    "no-parent": "the place it goes into is missing",
    "cannot-insert": "it cannot be inserted there",
    "cannot-delete": "it cannot be deleted",
    "not-xml-att-value": "it is no value of an attribute",
    "uniqueness-failure": "a value exists already that must be unique",
    "not-well-formed": "it is not well-formed",
    "constraint-failure": "it breaks a constraint",
    "not-utf-8": "it is not UTF-8",
    "extension": "a reason of this CMS's own",
}


def explain(body: bytes) -> str:
    """One line; what is no document of that kind is quoted as it came."""
    try:
        root = parse(body)
    except InvalidDocument:
        return _short(body.decode(errors="replace")) or "without a reason"
    kinds = [kind for kind in elements(root) if kind.tag == f"{{{NAMESPACE}}}{local(kind)}"]
    if root.tag != f"{{{NAMESPACE}}}xcap-error" or len(kinds) != 1:
        return _short(" ".join("".join(root.itertext()).split())) or "without a reason"
    return _short("; ".join(_parts(kinds[0])))


def _parts(kind: Element) -> Iterator[str]:
    name = local(kind)
    yield f"{name}, {_WORDS[name]}" if name in _WORDS else name
    if phrase := kind.get("phrase"):
        yield f"“{phrase}”"
    for child in elements(kind):
        if local(child) == "ancestor":
            yield f"the nearest place that is there: {text_of(child)}"
        elif local(child) == "exists":
            others = [text_of(value) for value in elements(child)]
            yield f"{child.get('field')}" + (f", free are: {', '.join(others)}" if others else "")
        elif name == "extension":
            yield f"{local(child)} {' '.join(''.join(child.itertext(etree.Element)).split())}".strip()


def _short(text: str) -> str:
    line = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(line.split())[:LONGEST]
