"""Every way in which one exchange can go between two servers, for small bounds, by breadth-first search.

The model is what the flows do, without HTTP, signatures and SQL: each act is one commit of one side. It asks the one
transition table. The link is the worst there is: whatever was ever sent, letter or reply, may arrive at any later
moment, any number of times, in any order, or never; so a crash, which loses what is under way, needs no act of its own.

A restore brings a side back to an earlier commit of its own, and ends its process with all its connections: no letter
and no reply that was on its way there arrives any more. What it had sent itself may still arrive, a letter until it
has compared, a reply until the other side, which has one attempt at a time, makes the next one. What breaks a law
raises Broken, with the shortest way there.
"""

import gc
from collections import deque

from search.model import Model
from search.worlds import Act, Broken, World, pair

Came = dict[World, tuple[World, Act] | None]
"""Every world that was found, with the world and the act that first led to it."""


def search(model: Model) -> int:
    """How many worlds there are. Raises Broken where a law does not hold, or what waits can never arrive."""
    gc.disable()
    try:
        return _search(model)
    finally:
        gc.enable()


def _search(model: Model) -> int:
    start = World()
    came: Came = {start: None}
    back: dict[World, list[World]] = {}
    settled = {start}
    todo = deque([start])
    while todo:
        world = todo.popleft()
        try:
            for act in model.acts(world):
                if act.link:
                    back.setdefault(act.then, []).append(world)
                if model.checked(world, act, new=act.then not in came):
                    settled.add(act.then)
                if act.then not in came:
                    came[act.then] = (world, act)
                    todo.append(act.then)
        except Broken as broken:
            raise Broken(broken.law, broken.what, trace(came, world, broken.act)) from None
    if "agreement" in model.laws and (stuck := _stuck(came, back, settled)):
        raise Broken("agreement", "what waits can never arrive", trace(came, stuck))
    return len(came)


def _stuck(came: Came, back: dict[World, list[World]], settled: set[World]) -> World | None:
    """The first world from which the link alone cannot carry everything that waits."""
    todo = list(settled)
    while todo:
        for world in back.get(todo.pop(), ()):
            if world not in settled:
                settled.add(world)
                todo.append(world)
    return next((world for world in came if world not in settled), None)


def trace(came: Came, world: World, last: Act | None = None) -> str:
    """The shortest way to a world, and perhaps one act more; one line an act."""
    acts = [last] if last else []
    while (step := came[world]) is not None:
        world, act = step
        acts.append(act)
    return "\n".join(
        f"{n:3} {act.text:<50} {pair((act.then.a.state, act.then.b.state))}"
        for n, act in enumerate(reversed(acts), 1)
    )
