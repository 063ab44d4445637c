"""A push by `acmx serve` that is killed in the middle: the next start goes on, and everything is there once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench.processes import Server

from acmx.provisioning import profile as profiles
from acmx.provisioning.differences import alike
from acmx.provisioning.names import PROFILES
from acmx.provisioning.xml import parse
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import SERVICES, UE_PATH, ended, look, start, with_cms
from support.partner.xcap import Xcap, path_of
from support.systems.systems import FIRE, POLICE, System, eventually

pytestmark = pytest.mark.slow
USERS = [f"sip:officer.{n}@{POLICE}" for n in range(150)]
STRANGERS = [f"sip:stranger.{n}@{POLICE}" for n in range(5)]
ALL = len(USERS) * len(SERVICES) + 1
WITHIN = 60.0


@contextmanager
def served(system: System) -> Iterator[None]:
    """`acmx serve` in a process of its own, until it is killed."""
    server = Server(system.directory)
    server.start()
    try:
        yield
    finally:
        server.kill()


async def are_written(cms: Xcap, number: int) -> None:
    await eventually(lambda: len(cms.written()), lambda found: found >= number, within=WITHIN)


async def waiting_job(police: System, cms: Xcap, id_: str) -> str:
    """A job that could not begin yet, and its server has stopped."""
    cms.faults.silent = True
    job = await start(police, id_)
    await eventually(lambda: look(police, job), lambda found: "last_error" in found)
    await police.stop()
    cms.faults.silent = False
    cms.log.clear()
    return job


async def test_killed_in_the_middle_it_goes_on_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with with_cms(tmp_path, at_a_time=4) as (police, fire, cms):
        police.clock.now = datetime.now(UTC)
        cms.put_profiles([*USERS, *STRANGERS], *SERVICES)
        before = dict(cms.documents)
        id_ = await answered(police, fire, users=USERS)
        documents = await police.done("GET", f"/requests/{id_}/documents")
        job = await waiting_job(police, cms, id_)
        cms.faults.slow = 0.005
        for number in (60, 180):
            with served(police):
                await are_written(cms, number)
            assert len(cms.written()) < ALL
        with served(police):
            await are_written(cms, ALL)
        await police.start()
        counts = (await ended(police, job))["counts"]
        assert (sum(counts.values()), set(counts) <= {"written", "unchanged"}) == (ALL, True)

        assert set(cms.written().values()) == {1}
        assert cms.documents.pop(UE_PATH) == documents["xml"].encode()
        entries = {entry["service"]: parse(entry["xml"].encode()) for entry in documents["entries"]}
        for service in SERVICES:
            for user in USERS:
                path = path_of(service, user)
                profile, names = parse(cms.documents.pop(path)), PROFILES[service]  # type: ignore[index]
                (entry,) = profiles.entries(names, profile, FIRE)
                assert alike(entry, entries[service])
                assert profiles.remove(names, profile, FIRE)
                assert alike(profile, parse(before.pop(path)))
        assert cms.documents == before
