"""Where things stand in the picture of the partners: the own system in the middle, half of them on either side."""

from collections.abc import Sequence

from msgspec import Struct

from acmx.faces.console.partnership.conditions import Seen

MOST = 20
WIDTH, HEIGHT, GAP = 300, 52, 16
MIDDLE, REACH = 220, 130
LONGEST_NAME = 31


class Place(Struct, frozen=True):
    """A partner's box, by its upper left corner, and the path of its line to the own system."""

    seen: Seen
    name: str
    x: int
    y: int
    line: str


class Map(Struct, frozen=True):
    """`x` and `width` are what is seen of the picture; `middle` is the height at which the own system stands."""

    places: list[Place]
    x: int
    width: int
    height: int
    middle: int


def drawn(partners: Sequence[Seen]) -> Map | None:
    """None where there are none, or too many to be seen at once."""
    if not 0 < len(partners) <= MOST:
        return None
    right, left = partners[: (len(partners) + 1) // 2], partners[(len(partners) + 1) // 2 :]
    height = len(right) * (HEIGHT + GAP) - GAP
    inner_left, inner_right = WIDTH + REACH, WIDTH + REACH + MIDDLE
    places = [
        *_side(left, 0, height, inner_left, WIDTH),
        *_side(right, inner_right + REACH, height, inner_right, inner_right + REACH),
    ]
    x = 0 if left else inner_left
    return Map(places, x, 2 * (WIDTH + REACH) + MIDDLE - x, height, height // 2)


def _side(partners: Sequence[Seen], x: int, height: int, start: int, end: int) -> list[Place]:
    """One below the other, centred; the lines go from `start` at the own system to `end` at the boxes."""
    top = (height - len(partners) * (HEIGHT + GAP) + GAP) // 2
    half = (start + end) // 2
    places = []
    for index, one in enumerate(partners):
        y = top + index * (HEIGHT + GAP)
        there = y + HEIGHT // 2
        line = f"M{start} {height // 2} C{half} {height // 2} {half} {there} {end} {there}"
        places.append(Place(one, _short(one.partner.name), x, y, line))
    return places


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
