"""What would change in a document, element by element, in few words."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from acmx.provisioning.shape import elements, local, text_of
from acmx.provisioning.xml import Element

SHOWN = 10


def alike(one: Element, other: Element) -> bool:
    """The same but for prefixes and the white space between elements, which mean nothing here."""
    for a, b in zip(one.iter(), other.iter(), strict=False):
        if a.tag != b.tag or len(a) != len(b) or sorted(a.items()) != sorted(b.items()):
            return False
        if a.text != b.text and not (len(a) and _blank(a.text) and _blank(b.text)):
            return False
        if a is not one and a.tail != b.tail and not (_blank(a.tail) and _blank(b.tail)):
            return False
    return True


def differences(old: Element, new: Element) -> list[str]:
    """`path: old -> new`, SHOWN at most, then that there are more."""
    found = list(islice(_differences(old, new, local(new)), SHOWN + 1))
    return [*found[:SHOWN], "and more"] if len(found) > SHOWN else found


def _differences(old: Element, new: Element, path: str) -> Iterator[str]:
    for name in sorted({str(name) for name in (*old.attrib, *new.attrib)}):
        if old.get(name) != new.get(name):
            yield f"{path}/@{name}: {old.get(name)} -> {new.get(name)}"
    olds, news = _children(old), _children(new)
    if not (olds or news) and text_of(old) != text_of(new):
        yield f"{path}: {text_of(old)} -> {text_of(new)}"
    for key in [*news, *(key for key in olds if key not in news)]:
        at = f"{path}/{key[0].rpartition('}')[2]}" + (f"[{key[1]}]" if key[1] > 1 else "")
        if key not in olds:
            yield f"{at}: new"
        elif key not in news:
            yield f"{at}: gone"
        else:
            yield from _differences(olds[key], news[key], at)


def _children(element: Element) -> dict[tuple[str, int], Element]:
    counts: Counter[str] = Counter()
    found = {}
    for child in elements(element):
        counts[str(child.tag)] += 1
        found[str(child.tag), counts[str(child.tag)]] = child
    return found


def _blank(text: str | None) -> bool:
    return not (text or "").strip()
