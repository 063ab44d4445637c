"""The CMS of the tests as a process: `python -m bench.cms FOLDER USERS SERVICE...` says its URL, until ended."""

import asyncio
import sys
from pathlib import Path

from bench.systems import POLICE
from tests.xcap import xcap_server


def users(number: int) -> list[str]:
    return [f"sip:officer.{n}@{POLICE}" for n in range(number)]


async def serve(folder: Path, number: int, *services: str) -> None:
    async with xcap_server(folder) as cms:
        cms.put_profiles(users(number), *services)
        print(cms.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
