"""Photograph the main pages of the console, as its people see them, into this folder (needs chromium)."""

import asyncio
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from docs.screenshots.palette import reduced  # noqa: E402
from docs.screenshots.shots import SIZES, shots  # noqa: E402
from docs.screenshots.town import town  # noqa: E402

from support.systems.browsers import a_browser, seated  # noqa: E402


async def photograph(into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="acmx-screenshots-") as folder:
        async with town(Path(folder)) as the_town, a_browser() as browser:
            for shot in shots(the_town):
                look = {"viewport": SIZES[shot.size], "color_scheme": shot.scheme, "locale": "en-GB"}
                async with seated(browser, shot.system, shot.account, **look) as desk:
                    steered = await desk.context.new_cdp_session(desk.page)
                    await steered.send("Emulation.setScrollbarsHidden", {"hidden": True})
                    await desk.open(shot.path)
                    await shot.act(desk.page)
                    png = await desk.page.screenshot(full_page=shot.whole)
                    (into / f"{shot.name}.png").write_bytes(await asyncio.to_thread(reduced, png))
                    desk.troubles.clear()


asyncio.run(photograph(HERE))
