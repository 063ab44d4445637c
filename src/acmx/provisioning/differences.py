"""What would change in a document, element by element, in few words."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from acmx.provisioning.shape import elements, local, text_of
from acmx.provisioning.xml import Element

SHOWN = 10


def alike(one: Element, other: Element) -> bool:
    """The same but for prefixes and the white space between elements, which mean nothing here."""
    if one.tag != other.tag or one.attrib != other.attrib or len(one) != len(other):
        return False
    blank = bool(len(one))
    return _text(one.text, blank=blank) == _text(other.text, blank=blank) and all(
        alike(a, b) and _text(a.tail, blank=True) == _text(b.tail, blank=True)
        for a, b in zip(one, other, strict=True)
    )


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


def _text(text: str | None, *, blank: bool) -> str:
    return "" if blank and not (text or "").strip() else text or ""
