"""What being watched costs: processor time of a durable accept with metrics, and with traces, against neither.

`uv run python -m bench.watched`: as `bench.accept`, with a collector of traces in this process that takes all and keeps
nothing. All cases run in turn; the ratios are those within a round.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from statistics import median

from aiohttp import web
from bench import shim
from bench.accept import Figures, measure, messages, reach
from bench.processes import running
from bench.systems import onboard

from acmx.bootstrap.own import own
from acmx.config import read

NEITHER, METRICS, TRACES = "neither", "metrics", "traces"
ROUNDS = 9
ROUND_MESSAGES = 1000

Servers = dict[str, tuple[int, int, Path]]


async def collector() -> tuple[web.AppRunner, str]:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"


def settings(url: str) -> dict[str, dict[str, str]]:
    return {
        NEITHER: {},
        METRICS: {"ACMX_METRICS_LISTEN": "127.0.0.1:0"},
        TRACES: {"ACMX_TRACES_ENDPOINT": url},
    }


async def compare(folder: Path) -> dict[str, list[Figures]]:
    runner, url = await collector()
    measured: dict[str, list[Figures]] = {case: [] for case in settings(url)}
    with ExitStack() as stack:
        open_ = {}
        for case, setting in settings(url).items():
            directory = folder / case
            await asyncio.to_thread(shutil.copytree, folder / "fire", directory)
            command = (sys.executable, "-m", "bench.partner", str(directory), "group", "0")
            environment = {**os.environ, **shim.environment(folder), **setting}
            process = stack.enter_context(running(*command, env=environment))
            port = int(await asyncio.to_thread(process.stdout.readline))
            open_[case] = await reach(process.pid, port, directory, folder / "police")
        signed = messages(own(folder / "police", read(folder / "police" / "config.toml")))
        cases = list(open_)
        for number in range(ROUNDS + 1):
            ready = list(islice(signed, ROUND_MESSAGES))
            for case in cases[number % 3 :] + cases[: number % 3]:
                figures = await measure(open_[case], ready)
                if number > 0:  # the first round warms up
                    measured[case].append(figures)
        for server in open_.values():
            for connection in server.connections:
                connection.close()
    await runner.cleanup()
    return measured


def report(measured: dict[str, list[Figures]]) -> None:
    for case, rounds in measured.items():
        cpu = median(figures.cpu_ms_per_accept for figures in rounds)
        ratio = median(
            a.cpu_ms_per_accept / b.cpu_ms_per_accept for a, b in zip(rounds, measured[NEITHER], strict=True)
        )
        print(f"{case:8}  {cpu:5.2f} ms CPU an accept  {ratio:.2f} x neither")


def main() -> int:
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        onboard(folder, approves=19)
        report(asyncio.run(compare(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
