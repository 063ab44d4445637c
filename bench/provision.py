"""From answer to device, at the speed of what is underneath.

`uv run python -m bench.provision [--users 10000]`:

- files: the entries of all users, made, validated and written as `acmx provision --out` does, against building,
  serialising and writing the same trees user by user with bare lxml;
- push: a job of `acmx serve` against a CMS (`bench.cms`), against a bare aiohttp client that does the same GETs and
  conditional PUTs with bodies that were made beforehand; 8 at a time both.
"""

import argparse
import asyncio
import ssl
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import aiohttp
import tomli_w
from bench.cms import users
from bench.processes import Server, running, until
from bench.results import at_least
from bench.systems import CATALOGUE, FIRE, POLICE, PURPOSE, TOKEN, onboard
from lxml import etree

from acmx.cli.files import write_all
from acmx.client import Client
from acmx.domain import server_identity
from acmx.domain.acm1 import NewProvisioning, NewTemplate, Submission
from acmx.domain.server_identity import ServerIdentity
from acmx.provisioning import document, profile, template
from acmx.provisioning.names import PROFILES
from acmx.provisioning.template import Template
from acmx.provisioning.xcap import document_url
from acmx.provisioning.xml import Element, parse, write

SERVICES = ("mcptt", "mcdata")
AT_A_TIME = 8
PATIENCE_S = 600.0
TEMPLATE = CATALOGUE.parents[1] / "templates" / "county-fire.toml"


def answer() -> ServerIdentity:
    return server_identity.read(tomllib.loads(CATALOGUE.read_text()))


def values(t100: int = 2) -> Template:
    return template.read(tomllib.loads(TEMPLATE.read_text()) | {"timers": {"t100": t100}})


def entries(given: Template) -> dict[str, Element]:
    root, _ = document.make(answer(), given)
    return {service: profile.entry(PROFILES[service], FIRE, root) for service in SERVICES}


def rebuilt(element: Element, parent: Element | None = None) -> Element:
    """The same tree, by lxml alone."""
    tag, attributes, namespaces = str(element.tag), dict(element.attrib), element.nsmap
    if parent is None:
        copy = etree.Element(tag, attributes, nsmap=namespaces)
    else:
        copy = etree.SubElement(parent, tag, attributes, nsmap=namespaces)
    copy.text = element.text
    for child in element:
        rebuilt(child, copy)
    return copy


def ours(folder: Path, number: int) -> None:
    for n in range(number):
        (folder / f"{n}").mkdir()
    made = {service: write(entry) for service, entry in entries(values()).items()}
    write_all((folder / f"{n}" / service, xml) for n in range(number) for service, xml in made.items())


def bare(folder: Path, number: int) -> None:
    trees = entries(values())
    for n in range(number):
        (folder / f"{n}").mkdir()
    for n in range(number):
        for service, tree in trees.items():
            xml = etree.tostring(rebuilt(tree), xml_declaration=True, encoding="UTF-8", pretty_print=True)
            (folder / f"{n}" / service).write_bytes(xml)


def files(folder: Path, number: int) -> None:
    rates = {}
    for way in (bare, ours):
        home = folder / way.__name__
        home.mkdir()
        rates[way.__name__] = number * len(SERVICES) / timed(lambda way=way, home=home: way(home, number))  # type: ignore[misc]
    ratio = rates["ours"] / rates["bare"]
    at_least(0.5, "provision", "documents made and written / bare lxml", ratio)
    print(
        f"files: {rates['ours']:,.0f} documents/s, bare lxml {rates['bare']:,.0f}/s: {ratio:.2f} (aim 0.5)",
        flush=True,
    )


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def push(folder: Path, number: int) -> None:
    with ExitStack() as stack:
        command = (sys.executable, "-m", "bench.cms", str(folder), str(number), *SERVICES)
        cms = stack.enter_context(running(*command))
        assert cms.stdout is not None
        root = cms.stdout.readline().strip()
        onboard(folder, approves=number)
        set_xcap(folder / "police" / "config.toml", root, folder / "cms.pem")
        police, fire = Server(folder / "police"), Server(folder / "fire")
        for server in (police, fire):
            stack.callback(server.kill)
            server.start()
            server.listening()
        url = f"https://127.0.0.1:{police.ports[0]}"
        certificate = folder / "police" / "tls" / "acm1.pem"
        client = stack.enter_context(Client(url, TOKEN, certificate))
        exchange = approved(client, number)
        resident = police.resident()
        before, bare_cpu = asyncio.run(by_hand(root, folder / "cms.pem", number, t100=3))
        cpu = police.cpu_seconds()
        rate = number * len(SERVICES) / timed(lambda: finished(client, exchange))
        cpu = (police.cpu_seconds() - cpu) * 1000 / (number * len(SERVICES))
        grown = police.resident() - resident
        after, _ = asyncio.run(by_hand(root, folder / "cms.pem", number, t100=4))
    plain = (before + after) / 2
    at_least(0.7, "provision", "documents pushed / bare client", rate / plain)
    print(
        f"push: {rate:,.0f} documents/s, bare client {before:,.0f} before and {after:,.0f} after: {rate / plain:.2f} "
        f"(aim 0.7); {cpu:.2f} ms CPU a document, bare client {bare_cpu:.2f}; memory {grown:+.0f} MiB"
    )


def set_xcap(path: Path, root: str, certificate: Path) -> None:
    given = tomllib.loads(path.read_text())
    given["xcap"] |= {"root": root, "ca_file": str(certificate), "at_a_time": AT_A_TIME}
    path.write_text(tomli_w.dumps(given))


def approved(client: Client, number: int) -> str:
    """The exchange, once the partner's policy has approved it."""
    given = tomllib.loads(TEMPLATE.read_text()) | {"admin_xui": f"sip:admin@{POLICE}"}
    client.set_template(FIRE, NewTemplate(given))
    submission = Submission(
        kind="server-identity",
        partner=FIRE,
        users=tuple(users(number)),
        purpose=PURPOSE,
        content={"services": list(SERVICES)},
    )
    id_ = client.submit(submission, str(uuid4())).id
    until(lambda: client.exchange(id_).state == "answered", within=PATIENCE_S)
    return id_


def finished(client: Client, exchange: str) -> None:
    job = client.provision(exchange, NewProvisioning("push"))
    while job.state in ("preparing", "running"):
        time.sleep(0.2)
        job = client.provisioning(job.id)
    if set(job.counts) != {"written"}:
        raise SystemExit(f"the job is {job.state}: {job.counts} {job.last_error}")


async def by_hand(root: str, certificate: Path, number: int, *, t100: int) -> tuple[float, float]:
    """GETs and conditional PUTs by a client that does nothing else: documents a second, ms of CPU a document."""
    context = ssl.create_default_context(cafile=certificate)
    made = entries(values(t100))
    names = {service: PROFILES[service] for service in SERVICES}
    connector = aiohttp.TCPConnector(ssl=context, limit=AT_A_TIME)
    async with aiohttp.ClientSession(connector=connector) as http:
        sample = {}
        for service in SERVICES:
            url = document_url(root, names[service].auid, users(1)[0], names[service].file(0))
            async with http.get(url) as reply:
                tree = parse(await reply.read())
            profile.put(names[service], tree, made[service])
            sample[service] = etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
        places = iter([(user, service) for user in users(number) for service in SERVICES])

        async def one_after_the_other(places: Iterator[tuple[str, str]]) -> None:
            for user, service in places:
                url = document_url(root, names[service].auid, user, names[service].file(0))
                async with http.get(url) as reply:
                    await reply.read()
                    tag = reply.headers["ETag"]
                headers = {"If-Match": tag, "Content-Type": names[service].mime}
                async with http.put(url, data=sample[service], headers=headers) as reply:
                    await reply.read()
                    reply.raise_for_status()

        begun, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one_after_the_other(places) for _ in range(AT_A_TIME)))
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
        documents = number * len(SERVICES)
        return documents / took, cpu * 1000 / documents


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.provision")
    parser.add_argument("--users", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        files(Path(folder), asked.users)
        push(Path(folder), asked.users)
    return 0


if __name__ == "__main__":
    sys.exit(main())
