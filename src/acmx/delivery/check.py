"""`acmx partner check`: the way to one partner, walked step by step as far as it goes, and what was found."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from acmx.delivery.greeting import greet
from acmx.delivery.outward import SocketTo, connected
from acmx.delivery.wire import LinkDown, NoAnswer, Wire
from acmx.domain.acm1 import Finding, Findings
from acmx.domain.errors import NotFound
from acmx.domain.findings import days_left, failed, ok, warning
from acmx.domain.moments import from_ms, text, to_ms
from acmx.domain.partnership import Metadata, Statement
from acmx.flows.house import House
from acmx.storage.engine import Store
from acmx.storage.exchange import outbox
from acmx.storage.exchange.outbox import Waiting
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from acmx.trust.certificates import fingerprint, not_after
from acmx.trust.own import Own
from acmx.trust.pinned import Pinned, pinned
from acmx.trust.signatures import CLOCK_TOLERANCE

STEP_SECONDS = 5.0
ALL_SECONDS = 25.0
NOTABLE_DIFFERENCE = timedelta(seconds=60)


class Check:
    """The check of one partner; nothing is changed by it on either side, but that they have heard from us."""

    def __init__(
        self,
        house: House,
        store: Store,
        own: Own,
        context: Callable[[Pinned], ssl.SSLContext],
        make_socket: SocketTo,
    ) -> None:
        self._house = house
        self._store = store
        self._own = own
        self._context = context
        self._make_socket = make_socket

    async def run(self, id_: str) -> Findings:
        """Takes 25 s at most. Raises NotFound."""
        partner = await self._store.read(partial(partners.find, id_=id_))
        if partner is None:
            raise NotFound(f"no partner {id_}")
        found: list[Finding] = []
        try:
            async with asyncio.timeout(ALL_SECONDS):
                async for finding in self._walk(partner):
                    found.append(finding)  # noqa: PERF401
        except TimeoutError:
            found.append(failed("time", f"the checks were given up after {ALL_SECONDS:.0f} s"))
        return Findings([*found, *await self._at_home(partner)])

    async def _walk(self, partner: Partner) -> AsyncIterator[Finding]:
        """Ends with the first step that fails, as the next ones need it."""
        peer = pinned(partner.metadata)
        place = urlsplit(peer.metadata.address)
        host, port = place.hostname or "", place.port or 443
        for step in (_resolve, self._connect):
            yield (finding := await step(host, port))
            if finding.status == "failed":
                return
        async for finding in self._shake_hands(host, port, peer):
            yield finding
            if finding.status == "failed":
                return
        async with Wire(
            self._own,
            peer,
            self._context(peer),
            self._house.clock,
            timedelta(seconds=STEP_SECONDS),
            self._make_socket,
        ) as wire:
            async for finding in self._ask(wire, partner):
                yield finding

    async def _connect(self, host: str, port: int) -> Finding:
        try:
            async with asyncio.timeout(STEP_SECONDS):
                to = await connected(host, port, self._make_socket)
        except (OSError, TimeoutError) as error:
            return failed("connection", f"to {host} port {port}: {_why(error)}")
        to.close()
        return ok("connection", f"to {host} port {port}")

    async def _shake_hands(self, host: str, port: int, peer: Pinned) -> AsyncIterator[Finding]:
        context = self._context(peer)
        context.verify_mode = ssl.CERT_NONE
        try:
            async with asyncio.timeout(STEP_SECONDS):
                to = await connected(host, port, self._make_socket)
                _, writer = await asyncio.open_connection(sock=to, ssl=context, server_hostname=host)
        except (OSError, TimeoutError) as error:
            yield failed("TLS handshake", _why(error))
            return
        tls = writer.get_extra_info("ssl_object")
        shown, version = tls.getpeercert(True), tls.version()
        writer.close()
        yield ok("TLS handshake", str(version))
        if fingerprint(shown) not in peer.fingerprints:
            yield failed("their certificate", f"is not the pinned one: SHA-256 {fingerprint(shown)}")
            return
        ends = not_after(ssl.DER_cert_to_PEM_cert(shown))
        yield days_left("their certificate", ends, self._house.clock())

    async def _ask(self, wire: Wire, partner: Partner) -> AsyncIterator[Finding]:
        """With TLS 1.3 a client hears only with the first answer whether its certificate was taken."""
        try:
            metadata, signed_at = await wire.metadata()
        except NoAnswer as error:
            yield failed(
                "our certificate there", f"was not accepted, or something cuts the line: {error.detail}"
            )
            return
        except LinkDown as error:
            yield failed("their metadata", error.detail)
            return
        yield ok("our certificate there", "was accepted")
        yield _as_pinned(metadata, partner.metadata)
        difference = timedelta(seconds=signed_at - int(self._house.clock().timestamp()))
        try:
            theirs, ahead = await greet(self._house, self._own, wire, partner)
        except LinkDown as error:
            yield _clocks(difference)
            yield failed("partnership", f"{partner.state_here} here; no word from there: {error.detail}")
            return
        yield _clocks(timedelta(milliseconds=ahead))
        yield _standing(partner.id, partner.state_here, theirs)

    async def _at_home(self, partner: Partner) -> list[Finding]:
        now = self._house.clock()
        waiting = await self._store.read(partial(outbox.waiting, partner=partner.id, now=to_ms(now)))
        ours = pinned(self._own.metadata).metadata
        ends = min(map(not_after, ours.certificates))
        return [
            days_left("our certificate", ends, now),
            _in_common(ours, pinned(partner.metadata).metadata),
            ok("last success", text(from_ms(partner.last_success_at)))
            if partner.last_success_at
            else warning("last success", "never"),
            _queue(partner, waiting, now),
        ]


async def _resolve(host: str, port: int) -> Finding:
    try:
        async with asyncio.timeout(STEP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        return failed("name", f"{host} is not known: {_why(error)}")
    return ok("name", f"{host} is {', '.join(sorted({str(place[0]) for *_, place in found}))}")


def _as_pinned(metadata: bytes, held: bytes) -> Finding:
    if metadata == held:
        return ok("their metadata", "key and metadata are as pinned")
    now, then = pinned(metadata), pinned(held)
    changed = [
        name
        for name in Metadata.__struct_fields__
        if getattr(now.metadata, name) != getattr(then.metadata, name)
    ]
    return warning("their metadata", f"differs from what is pinned in: {', '.join(changed) or 'spelling'}")


def _clocks(difference: timedelta) -> Finding:
    seconds = round(difference.total_seconds(), 1)
    words = (
        f"theirs is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} ours" if seconds else "agree"
    )
    if abs(difference) > timedelta(seconds=CLOCK_TOLERANCE):
        return failed("clocks", f"{words}: messages are refused")
    return ok("clocks", words) if abs(difference) < NOTABLE_DIFFERENCE else warning("clocks", words)


def _standing(id_: str, here: str, theirs: Statement) -> Finding:
    because = f" ({theirs.reason})" if theirs.reason else ""
    words = f"{here} here, {theirs.state} there{because}"
    if here == theirs.state == "accepted":
        return ok("partnership", words)
    act = {"offered": "accept", "suspended": "resume"}.get(here)
    return warning("partnership", f"{words}; here: acmx partner {act} {id_}" if act else words)


def _in_common(ours: Metadata, theirs: Metadata) -> Finding:
    spoken = {kind.kind: kind.versions for kind in theirs.kinds}
    common = [
        f"{kind.kind} {version}"
        for kind in ours.kinds
        for version in kind.versions
        if version in spoken.get(kind.kind, ())
    ]
    return ok("in common", ", ".join(common)) if common else failed("in common", "no kind of configuration")


def _queue(partner: Partner, waiting: Waiting, now: datetime) -> Finding:
    if not waiting.total:
        return ok("queued", "nothing waits")
    reasons = []
    if not partner.established:
        reasons.append("the partnership is not established, or is suspended")
    if partner.next_attempt_at and partner.next_attempt_at > to_ms(now):
        reasons.append(f"back-off until {text(from_ms(partner.next_attempt_at))}: {partner.last_error}")
    if waiting.put_off:
        reasons.append(f"{waiting.put_off} put off one by one")
    if waiting.undeliverable:
        reasons.append(f"{waiting.undeliverable} given up")
    words = f"{waiting.total} waiting"
    return warning("queued", f"{words}: {'; '.join(reasons)}") if reasons else ok("queued", words)


def _why(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)[:200]
