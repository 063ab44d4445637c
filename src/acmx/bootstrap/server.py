"""The one place that wires the server: store, faces, links, messenger and clockwork around one house."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from acmx.bootstrap import people, telling
from acmx.bootstrap.lease_name import successor
from acmx.bootstrap.own import own
from acmx.bootstrap.profiles import profiles
from acmx.bootstrap.renewal import Renewal
from acmx.bootstrap.vitals import Vitals, ask_writer
from acmx.bootstrap.watch import Watch
from acmx.bootstrap.watch_ends import watch_ends
from acmx.config import Config, endpoint
from acmx.delivery import clockwork
from acmx.delivery.backoff import Pace
from acmx.delivery.check import Check
from acmx.delivery.clock_guard import ClockGuard, name_of_boot, since_boot
from acmx.delivery.clock_voices import ClockVoices
from acmx.delivery.link import Link
from acmx.delivery.links import Links
from acmx.delivery.notices.messenger import Messenger
from acmx.delivery.outward import sockets
from acmx.delivery.provisioning.cms import Cms
from acmx.delivery.provisioning.provisioner import Provisioner
from acmx.delivery.sealer import Sealer
from acmx.delivery.supervisor import Supervisor, in_words, unnamed
from acmx.domain.errors import TemporarilyUnavailable
from acmx.domain.moments import Clock, to_ms
from acmx.faces.acm1.app import Acm1
from acmx.faces.acm1.authentication import Authentication
from acmx.faces.acm1.calls import Desk
from acmx.faces.acm1.notifications import Bell
from acmx.faces.acm1.passwords import Passwords
from acmx.faces.acm1.vouched import Vouched
from acmx.faces.acm2.app import Acm2
from acmx.faces.acm2.peers import Peers
from acmx.faces.console.app import Console
from acmx.faces.listener import Listener
from acmx.flows.house import House
from acmx.flows.operations import subscribe
from acmx.flows.people import claim
from acmx.flows.people.attempts import Attempts
from acmx.flows.people.refusals import Refusals
from acmx.flows.reconciliation import take_in_history
from acmx.storage.engine import Missed, Store, Tx
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner, PartnerChanged
from acmx.telemetry.standing import Parts

GRACE = 5.0
log = structlog.get_logger()
HSTS = b"strict-transport-security", b"max-age=31536000"
"""Browsers that came by TLS come by nothing else for a year. Where a proxy speaks TLS, it is the proxy's to say."""


class Server:
    """One ACM server in the running event loop."""

    def __init__(
        self,
        directory: Path,
        config: Config,
        store: Store,
        clock: Clock,
        steady: Callable[[], float] = since_boot,
        machine: str | None = None,
    ) -> None:
        """`steady` gives seconds of a clock that nobody sets, that of this `machine`. Raises Misconfigured."""
        self._watch = Watch(config)
        self._store = store = self._watch.store(store)
        named = machine or name_of_boot()
        self._voices = ClockVoices(clock, store, named, steady)
        self._guard = ClockGuard(clock, store, self._voices, named, steady)
        house = House(
            system=config.system,
            realms=config.realms,
            clock=clock,
            expiry=timedelta(days=config.requests.expiry_days),
            longest_expiry=timedelta(days=config.requests.longest_expiry_days),
            remind_before=tuple(timedelta(hours=hours) for hours in config.notices.reminder_hours),
            escalate_after=timedelta(hours=config.notices.escalation_hours) or None,
            checkpoint_every=timedelta(minutes=config.audit.checkpoint_minutes),
            retention=timedelta(days=config.retention.days),
            profiles=profiles(config.provisioning),
            has_cms=bool(config.xcap.root),
            sure_of_clock=self._guard.sure,
        )
        self._house = house
        identity = own(directory, config)
        self._own = identity
        self._renewal = Renewal(directory, config, store, identity, clock)
        refusals = self._refusals = Refusals(house, store)
        self._provider = people.provider(directory, config, steady)
        self._issuer = config.oidc.issuer
        vouched = Vouched(house, store, refusals, config.oidc, self._provider.key) if self._provider else None
        authentication = Authentication(house, store, vouched)
        passwords = self._passwords = Passwords(house, store, refusals, Attempts(steady))
        self._bell = Bell(house.clock, authentication)
        self._supervisor = Supervisor()
        shipped = config.audit.checkpoint_directory
        self._sealer = Sealer(house, store, identity, directory / shipped if shipped else None)
        self._vitals = Vitals(self._supervisor, self._renewal.ended, lambda: self._sealer.shipper.forked)
        self._owner, self._predecessor = successor(directory)
        make_socket = sockets(allow_local=config.delivery.allow_local)
        check = Check(house, store, identity, self._renewal.context_to, make_socket).run
        desk = Desk(house, store, identity, self._bell.told_at, self._vitals, check, passwords)
        acm1 = self._acm1 = Acm1(desk, self._bell, authentication, refusals, people.sign_in(config))
        console = Console(acm1, self._provider)
        tls2 = self._renewal.acm2_context()
        self._peers = Peers(store, tls2, self._hang_up)
        acm2 = self._acm2 = Acm2(house, store, identity, self._peers, refusals)
        pace = Pace(
            timedelta(seconds=config.delivery.probe_seconds),
            timedelta(seconds=config.delivery.answer_seconds),
        )
        send = self._watch.deliveries()
        self._links = Links(
            store,
            self._supervisor,
            lambda partner: Link(
                house,
                store,
                identity,
                partner,
                self._renewal.context_to,
                make_socket,
                self._owner,
                pace,
                self._voices,
                send,
            ),
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

        tls1 = self._renewal.acm1_context()
        self._face1 = Listener(
            self._watch.face(acm1.app(*console.routes()), "acm1"),
            *endpoint(config.acm1.listen),
            tls1 if config.acm1.tls else None,
            self._watch.connections("acm1", refused("acm1")),
            config.acm1.proxies,
            [HSTS] if config.acm1.tls else (),
        )
        self._face2 = Listener(
            self._watch.face(acm2.app(), "acm2"),
            *endpoint(config.acm2.listen),
            tls2,
            self._watch.connections("acm2", refused("acm2")),
            config.acm2.proxies,
        )
        if config.acm1.tls:
            self._renewal.on_acm1 = self._face1.use
        self._renewal.on_acm2 = self._use_for_acm2
        self._renewal.on_published = self._links.wake

    async def start(self) -> None:
        """Raises OSError where an address cannot be had."""
        self._store.on_new_history(partial(take_in_history.apply, self._house))
        await self._guard.look()
        await self._renewal.publish()
        await self._peers.refresh()
        self._store.on_commit(self._hear)
        await self._store.write(self._take_over)
        known = await self._hear_held()
        self._voices.wait_for(partner.id for partner in known if partner.established)
        await self._face1.start()
        await self._face2.start()
        await self._watch.start(
            self._house,
            self._store,
            Parts(self._vitals.components, lambda: self._bell.clients, self._renewal.ends),
        )
        await self._links.start()
        self._messenger.start()
        if self._house.has_cms:
            self._supervisor.keep("provisioner", self._provisioner.run)
        self._supervisor.keep("clockwork", partial(clockwork.run, self._house, self._store, self._guard))
        self._supervisor.keep("notifications", self._bell.keep_beating)
        if self._provider is not None:
            self._supervisor.keep("identity provider", self._provider.keep_fresh)
        self._supervisor.keep("partners", self._peers.keep_fresh)
        self._supervisor.keep(
            "expiry", partial(watch_ends, self._house, self._store, self._renewal, self._vitals)
        )
        self._supervisor.keep("refusals", partial(clockwork.count_refusals, self._refusals))
        self._supervisor.keep("renewal", self._renewal.keep_looking)
        self._supervisor.keep("sealer", self._sealer.run)
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
        await self._refusals.write_counts(whole_minutes=False)
        with suppress(TemporarilyUnavailable):
            await self._sealer.seal()
            await self._store.write(partial(partners.release, owner=self._owner))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._watch.stop()
        await self._store.close()

    def renew(self) -> None:
        """Look at the files of keys and certificates now."""
        self._renewal.look_now()

    @property
    def ports(self) -> tuple[int, int]:
        """Where ACM-1 and ACM-2 listen."""
        return self._face1.port, self._face2.port

    @property
    def metrics_port(self) -> int | None:
        """Where the metrics are read; None: nowhere."""
        return self._watch.port

    def _take_over(self, tx: Tx) -> None:
        """From the process that served this directory before."""
        claim.settle(self._house, tx, self._issuer)
        self._subscribe(tx)
        partners.release(tx, self._predecessor)
        partners.compare_all(tx, to_ms(self._house.clock()))
        partners.look_again(tx)

    def _hear(self, signals: frozenset[Hashable]) -> None:
        self._bell.ring(signals)
        self._passwords.hear(signals)
        self._links.hear(signals)
        self._messenger.hear(signals)
        self._sealer.hear(signals)
        self._provisioner.hear(signals)
        if any(isinstance(signal, PartnerChanged | Missed) for signal in signals):
            self._peers.hear_of_change()
        if Missed() in signals:
            self._spawn(self._catch_up())

    async def _catch_up(self) -> None:
        with suppress(TemporarilyUnavailable):
            await self._hear_held()
            await self._links.meet_all()

    async def _hear_held(self) -> list[Partner]:
        """Which of the own keys each partner takes; all partners."""
        known = await self._store.read(partners.every)
        for partner in known:
            self._own.hear_held(partner.id, partner.own_keys_there)
        return known

    def _hang_up(self, certificates: frozenset[str]) -> None:
        self._face2.hang_up(certificates)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work besides the loops failed", error=in_words(error), exc_info=unnamed(error))

    def _use_for_acm2(self, context: ssl.SSLContext) -> None:
        self._peers.use(context)
        self._face2.use(context)
