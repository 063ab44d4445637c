"""The one place that wires the server: store, faces, links, messenger and clockwork around one house."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from acmx.bootstrap import telling
from acmx.bootstrap.own import own
from acmx.bootstrap.profiles import profiles
from acmx.bootstrap.vitals import Vitals, ask_writer
from acmx.config import Config, endpoint
from acmx.delivery import clockwork
from acmx.delivery.backoff import Pace
from acmx.delivery.check import Check
from acmx.delivery.clock_guard import ClockGuard, since_boot
from acmx.delivery.cms import Cms
from acmx.delivery.link import Link
from acmx.delivery.links import Links
from acmx.delivery.messenger import Messenger
from acmx.delivery.provisioner import Provisioner
from acmx.delivery.supervisor import Supervisor
from acmx.domain.errors import TemporarilyUnavailable
from acmx.domain.moments import Clock, to_ms
from acmx.faces.acm1.app import Acm1
from acmx.faces.acm1.authentication import Authentication
from acmx.faces.acm1.calls import Desk
from acmx.faces.acm1.notifications import Bell
from acmx.faces.acm2.app import Acm2
from acmx.faces.acm2.peers import Peers
from acmx.faces.listener import Listener
from acmx.flows import subscribe
from acmx.flows.house import House
from acmx.flows.refusals import Refusals
from acmx.storage import partners
from acmx.storage.engine import Store
from acmx.storage.partners import PartnerChanged
from acmx.trust import tls
from acmx.trust.pinned import Pinned

GRACE = 5.0


class Server:
    """One ACM server in the running event loop."""

    def __init__(
        self,
        directory: Path,
        config: Config,
        store: Store,
        clock: Clock,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        """`steady` gives seconds of a clock that nobody sets. Raises Misconfigured."""
        self._directory = directory
        self._store = store
        house = House(
            system=config.system,
            realms=config.realms,
            clock=clock,
            expiry=timedelta(days=config.requests.expiry_days),
            longest_expiry=timedelta(days=config.requests.longest_expiry_days),
            remind_before=tuple(timedelta(hours=hours) for hours in config.notices.reminder_hours),
            escalate_after=timedelta(hours=config.notices.escalation_hours) or None,
            profiles=profiles(config.provisioning),
            has_cms=bool(config.xcap.root),
        )
        self._house = house
        identity = own(directory, config)
        refusals = Refusals(house, store)
        authentication = Authentication(house, store)
        self._bell = Bell(house.clock, authentication)
        self._supervisor = Supervisor()
        self._vitals = Vitals(self._supervisor)
        self._guard = ClockGuard(house, store, steady)
        self._owner = f"{socket.gethostname()}:{directory.resolve()}"
        check = Check(house, store, identity, self._context_to).run
        desk = Desk(house, store, identity, self._bell.told_at, self._vitals, check)
        acm1 = Acm1(desk, self._bell, authentication, refusals)
        tls2 = tls.server_context(*self._pair("acm2"), pinned=())
        self._peers = Peers(store, tls2)
        acm2 = Acm2(house, store, identity, self._peers, refusals)
        pace = Pace(
            timedelta(seconds=config.delivery.probe_seconds),
            timedelta(seconds=config.delivery.answer_seconds),
        )
        self._links = Links(
            store,
            self._supervisor,
            lambda partner: Link(house, store, identity, partner, self._context_to, self._owner, pace),
        )
        channels = telling.channels(directory, config, clock)
        self._subscribe = partial(
            subscribe.apply,
            subscribed=telling.subscriptions(config),
            channels=[channel.name for channel in channels],
        )
        self._messenger = Messenger(house, store, self._supervisor, channels)
        self._provisioner = Provisioner(house, store, Cms(directory, config.xcap))
        self._tasks: set[asyncio.Task[None]] = set()

        def refused(face: str) -> Callable[[str, str], None]:
            return lambda reason, address: self._spawn(refusals.note(face, reason, address=address))

        tls1 = tls.server_context(*self._pair("acm1"), pinned=None)
        self._face1 = Listener(acm1.app(), *endpoint(config.acm1.listen), tls1, refused("acm1"))
        self._face2 = Listener(acm2.app(), *endpoint(config.acm2.listen), tls2, refused("acm2"))

    async def start(self) -> None:
        """Raises OSError where an address cannot be had."""
        await self._guard.look()
        await self._peers.refresh()
        await self._store.write(self._subscribe)
        self._store.on_commit(self._hear)
        now = to_ms(self._house.clock())
        await self._store.write(lambda tx: partners.compare_all(tx, now))
        await self._face1.start()
        await self._face2.start()
        await self._links.start()
        self._messenger.start()
        if self._house.has_cms:
            self._supervisor.keep("provisioner", self._provisioner.run)
        self._supervisor.keep("clockwork", partial(clockwork.run, self._house, self._store, self._guard))
        self._supervisor.keep("notifications", self._bell.keep_beating)
        self._supervisor.keep("partners", self._peers.keep_fresh)
        self._supervisor.keep("writer", partial(ask_writer, self._store))

    async def stop(self) -> None:
        """What is under way, requests and deliveries, finishes within the grace, or is left for the next start."""
        self._vitals.stopping = True
        self._bell.close()
        await asyncio.gather(
            self._face1.stop(GRACE),
            self._face2.stop(GRACE),
            self._links.finish(GRACE),
            self._messenger.finish(GRACE),
            self._provisioner.finish(GRACE),
        )
        await self._supervisor.stop()
        with suppress(TemporarilyUnavailable):
            await self._store.write(partial(partners.release, owner=self._owner))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.close()

    @property
    def ports(self) -> tuple[int, int]:
        """Where ACM-1 and ACM-2 listen."""
        return self._face1.port, self._face2.port

    def _hear(self, signals: frozenset[Hashable]) -> None:
        self._bell.ring(signals)
        self._links.hear(signals)
        self._messenger.hear(signals)
        self._provisioner.hear(signals)
        if any(isinstance(signal, PartnerChanged) for signal in signals):
            self._peers.hear_of_change()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _context_to(self, peer: Pinned) -> ssl.SSLContext:
        return tls.client_context(*self._pair("acm2"), peer.metadata.certificates)

    def _pair(self, face: str) -> tuple[Path, Path]:
        return self._directory / "tls" / f"{face}.pem", self._directory / "tls" / f"{face}.key"
