"""What may happen next in a world."""

from collections.abc import Iterator

from acmx.domain.exchange import Role
from search.clocks import Clocks
from search.worlds import OTHER, Act, Side, World, name_of


class Model(Clocks):
    """The flows of both sides over a table."""

    def acts(self, world: World) -> Iterator[Act]:
        yield from self.of_primary(world)
        yield from self.of_partner(world)
        for role in OTHER:
            yield from self.posts(world, role)
        for letter in sorted(world.letters):
            yield from self.takes(world, letter)
        for word in sorted(world.words):
            yield from self.hears(world, word)
        yield from self.restores(world)
        yield from self.compares(world)
        yield from self.lies(world)
        yield from self.puts_off(world)

    def restores(self, world: World) -> Iterator[Act]:
        """At its start a side whose clock is wrong hears so from the other."""
        for role, backup in zip(OTHER, world.backups, strict=True):
            side = world.side(role)
            if role not in self.bounds.restored or side.life:
                continue
            if backup is None:
                yield Act(
                    f"{name_of(role)}: is backed up", world._replace(backups=_backups(world, role, side))
                )
            elif backup != side:
                due = self.bounds.compared and not self.bounds.unaware
                held = backup.held or side.clock != 0
                begun = backup._replace(life=1, due=due, clock=side.clock, lied=side.lied, held=held)
                restored = world.with_(begun)._replace(
                    letters=frozenset(letter for letter in world.letters if letter.sender == role),
                    words=frozenset(word for word in world.words if word.body.sender != role),
                    backups=_backups(world, role, None),
                )
                yield Act(f"{name_of(role)}: is restored", restored, restores=True)


def _backups(world: World, role: Role, side: Side | None) -> tuple[Side | None, Side | None]:
    return (side, world.backups[1]) if role == "primary" else (world.backups[0], side)
