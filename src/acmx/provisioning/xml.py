"""Reading XML that somebody else wrote, and writing it always alike."""

from lxml import etree

from acmx.domain.errors import InvalidDocument
from acmx.domain.faults import Fault

Element = etree._Element  # noqa: SLF001
LARGEST = 8 * 1024 * 1024
_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    huge_tree=False,
    remove_blank_text=False,
)


def parse(text: bytes, largest: int = LARGEST) -> Element:
    """The root of a document in UTF-8. Raises InvalidDocument: not XML, too large, too deep, or with a DTD."""
    if len(text) > largest:
        raise _not(f"is larger than {largest / 1024**2:g} MiB")
    try:
        text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not(f"is not UTF-8 at byte {error.start}") from None
    try:
        root = etree.fromstring(text, _PARSER)
    except etree.XMLSyntaxError as error:
        raise _not(f"is not well-formed: {error.msg}", error.lineno or 0) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _not("must have no document type declaration")
    return root


def write(root: Element) -> bytes:
    """UTF-8 with declaration and line ends; the same tree gives the same bytes."""
    etree.cleanup_namespaces(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _not(rule: str, line: int = 1) -> InvalidDocument:
    return InvalidDocument([Fault(f"line {line}", "", rule)])
