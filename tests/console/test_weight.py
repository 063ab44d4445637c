"""A page with everything that it brings along is small: it has to come through a narrow line."""

import re

from integration.provisioning.test_provisioning import answered
from support.systems.browsers import console
from support.systems.pages import opened
from support.systems.permits import CONSOLE
from support.systems.systems import FIRE, POLICE, System

MOST = 150_000
MANY = [f"sip:officer.{n}@{POLICE}" for n in range(10_000)]
NO_PAGES = ("/notifications", "/newest", "/documents", "/checkpoint", "/file")
BROUGHT = re.compile(r'(?:href|src)="/console(/static/[^"]+)"')


async def weight(system: System, path: str) -> tuple[int, int]:
    """Status of the page; its bytes and those of every static file that it names, nothing being kept or compressed."""
    page = await opened(system, "GET", path, token="admin")
    weighs = len(page.text.encode())
    brought = set(BROUGHT.findall(page.text))
    assert page.status != 200 or any(".css" in name for name in brought), path
    for name in brought:
        async with system.http.get(console(system) + name) as reply:
            assert reply.status == 200, name
            weighs += len(await reply.read())
    return page.status, weighs


async def test_no_page_with_what_it_brings_along_is_heavy(systems):
    police, fire = systems
    for n in range(30):
        _, accepted = await police.submit(str(n), urgency="urgent", reference="x" * 255, purpose="y" * 200)
        await police.reaches(accepted["id"], "stored")
    _, accepted = await police.submit("many", users=MANY)
    await police.reaches(accepted["id"], "stored")
    done = await answered(police, fire, key="done", users=MANY[:5000])
    seen = {}
    for system, other in ((police, FIRE), (fire, POLICE)):
        for name in ("GET /sign-in", *CONSOLE):
            method, path = name.split()
            if method != "GET" or path.endswith(NO_PAGES):
                continue
            path = path.replace("{kind}", "server-identity")
            for id_ in [other] if "partners" in path else [f"{POLICE}:{accepted['id']}", f"{POLICE}:{done}"]:
                seen[system.id, path.replace("{id}", id_)] = await weight(system, path.replace("{id}", id_))
    assert {what: weighs for what, (_, weighs) in seen.items() if weighs > MOST} == {}
    assert sum(status == 200 for status, _ in seen.values()) > 60
