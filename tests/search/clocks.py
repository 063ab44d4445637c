"""Clocks that lie: one is set far ahead or behind, and comes back; what it dated and put off is put right then."""

from collections.abc import Iterator

from search.laws import Laws
from search.worlds import OTHER, Act, Side, World, name_of


class Clocks(Laws):
    """A side whose clock is wrong knows it, and lets nothing end; partners refuse what it signs in their future."""

    def lies(self, world: World) -> Iterator[Act]:
        for role in self.bounds.lies:
            side, name = world.side(role), name_of(role)
            if side.clock:
                yield Act(f"{name}: the clock is right", world.with_(side._replace(clock=0)), link=True)
            elif side.held:
                yield Act(f"{name}: the clock is confirmed", world.with_(self.released(side)), link=True)
            elif not side.lied:
                for clock, way in ((1, "ahead"), (-1, "behind")):
                    wrong = side._replace(clock=clock, lied=True, held=True)
                    yield Act(f"{name}: the clock is far {way}", world.with_(wrong))

    def puts_off(self, world: World) -> Iterator[Act]:
        """An attempt fails; when the next one is due says the clock."""
        for role in OTHER:
            side = world.side(role)
            if side.clock > 0 and side.tried & side.waiting - side.off:
                off = side._replace(off=side.off | side.tried & side.waiting)
                yield Act(f"{name_of(role)}: puts off what it sent", world.with_(off))

    def released(self, side: Side) -> Side:
        """What the wrong clock put off is due, and what ended by it ended now."""
        return side._replace(held=False, off=frozenset(), ended=0)
