"""One MC system that tells its people: a real store, a messenger, the clock of the test."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from acmx.bootstrap.database import make_store
from acmx.bootstrap.telling import subscriptions
from acmx.config import Config, Mail, Notices, Webhook
from acmx.delivery.notices.channel import Channel
from acmx.delivery.notices.mail import MailChannel
from acmx.delivery.notices.messenger import TAKEN_FOR, Messenger
from acmx.delivery.notices.webhooks import WebhookChannel
from acmx.delivery.outward import sockets
from acmx.delivery.supervisor import Supervisor
from acmx.domain.acm1 import Notice
from acmx.domain.exchange import Event, Role, State, transition
from acmx.domain.identities import Realms
from acmx.domain.moments import to_ms
from acmx.flows.exchange.change import begin, move
from acmx.flows.house import House
from acmx.flows.operations import list_notices, subscribe
from acmx.storage import accounts
from acmx.storage.accounts import Account
from acmx.storage.deliveries import ToTell
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from support.systems import engines
from support.systems.systems import FIRE, POLICE, Clock, eventually, turns

DESK = "desk@fire.example"
PATIENCE = timedelta(seconds=0.3)
SECRET = b"a secret of no less than 32 bytes"


def mail_to(port: int, **changes: Any) -> Mail:
    usual = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "sender": "acm@fire.example",
        "reviewers": (DESK,),
    }
    return Mail(**(usual | changes))


def webhook_to(url: str, name: str = "dispatch", **changes: Any) -> Webhook:
    return Webhook(name=name, url=url, secret_file="", allow_http=True, **changes)


class Telling:
    """`channels` are those of the configuration; the messenger runs between `start` and `stop`."""

    def __init__(self, directory: Path, clock: Clock, config: Config) -> None:
        self.clock = clock
        self.config = config = msgspec.structs.replace(config, database=engines.database(directory))
        self.house = House(FIRE, config.realms, clock)
        self.store = make_store(directory, config)
        self.channels: list[Channel] = self._channels()
        self._ids = count(1)

    def _channels(self) -> list[Channel]:
        link, clock = self.config.notices.link, self.clock
        mail = MailChannel(
            FIRE, self.config.mail, self.config.mail.password or None, link, clock, timeout=PATIENCE
        )
        webhooks = [
            WebhookChannel(
                FIRE, webhook, SECRET, link, clock, timeout=PATIENCE, make_socket=sockets(allow_local=True)
            )
            for webhook in self.config.webhooks
        ]
        return [*([mail] if self.config.mail.host else []), *webhooks]

    async def start(self) -> None:
        names = [channel.name for channel in self.channels]
        await self.store.write(lambda tx: subscribe.apply(tx, subscriptions(self.config), names))
        self.supervisor = Supervisor()
        self.messenger = Messenger(self.house, self.store, self.supervisor, self.channels)
        self.store.on_commit(self.messenger.hear)
        self.messenger.start()

    async def request(self, **changes: Any) -> Exchange:
        """A request of a partner arrives."""
        return await self.begun("partner", Event.REQUEST, **changes)

    async def begun(self, role: Role, event: Event, **changes: Any) -> Exchange:
        new = exchange(role, next(self._ids), to_ms(self.clock()), **changes)
        return await self.store.write(lambda tx: begin(tx, new, event, "tests", to_ms(self.clock())))

    async def happens(self, what: Exchange, event: Event) -> Exchange:
        return await self.store.write(lambda tx: move(tx, what, event, "tests", to_ms(self.clock())))

    async def account(
        self, name: str, mail: str | None, aliases: str = "", *, disabled: bool = False
    ) -> None:
        new = Account(name, f"sip:{name}@{FIRE}", aliases, "reviewer", "", 0, int(disabled), 0, mail)
        await self.store.write(lambda tx: accounts.insert(tx, new))

    async def quiet(self) -> None:
        """Every channel has looked into the ledger since it was woken last, and has nothing to do now."""
        rounds = self.messenger._rounds.values()
        await turns()
        await eventually(
            lambda: [round_._at_work.locked() or round_._wake.is_set() for round_ in rounds],
            lambda busy: not any(busy),
            time_passes=False,
        )

    async def later(self, **spans: float) -> None:
        """Time passes, and the messenger looks at the clock."""
        self.clock.advance(**spans)
        for channel in self.channels:
            await self.store.write(lambda tx, name=channel.name: tx.signal(ToTell(name)))

    async def ledger(self) -> list[tuple[str, str, str, str]]:
        """Event, channel, recipient and state, in order."""
        rows = await self.store.read(
            lambda tx: tx.rows(
                "SELECT n.event, t.channel, t.recipient, t.state FROM telling t "
                "JOIN notice n ON n.serial = t.notice ORDER BY t.serial"
            )
        )
        return [tuple(row) for row in rows]

    async def becomes(self, *states: str) -> None:
        """Until the states of the ledger are these."""
        await eventually(self.ledger, lambda rows: [row[3] for row in rows] == list(states))

    async def notices(self) -> list[Notice]:
        return (await self.store.read(lambda tx: list_notices.page(tx, after=None, limit=100))).items

    async def attempts(self, least: int) -> None:
        """Until so much was tried in all, and nothing is under way."""
        until = to_ms(self.clock() + TAKEN_FOR)
        sql = "SELECT SUM(attempts), COUNT(*) FILTER (WHERE next_attempt_at = :until) FROM telling"
        await eventually(
            lambda: self.store.read(lambda tx: tx.row(sql, {"until": until})),
            lambda row: row[0] >= least and row[1] == 0,
        )


@asynccontextmanager
async def telling(
    tmp: Path,
    mail: Mail | None = None,
    webhooks: Iterable[Webhook] = (),
    *,
    notices: Notices | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Telling]:
    config = Config(
        system=FIRE,
        name="Fire",
        realms=Realms((FIRE,)),
        notices=notices or Notices(link="https://acm.fire.example"),
        mail=mail or Mail(),
        webhooks=tuple(webhooks),
    )
    there = Telling(tmp, clock or Clock(), config)
    await there.start()
    try:
        yield there
    finally:
        await there.messenger.finish(1.0)
        await there.supervisor.stop()
        await there.store.close()


def exchange(role: Role, n: int, at: int, **changes: Any) -> Exchange:
    """A request of the police to the fire service, as one of the two holds it."""
    primary, partner = (POLICE, POLICE) if role == "partner" else (FIRE, POLICE)
    new = Exchange(
        serial=None,
        role=role,
        primary_system=primary,
        id=f"01890000-0000-7000-8000-{n:012x}",
        partner=partner,
        state=State.PENDING,
        version=0,
        kind="server-identity",
        asker=f"sip:silva@{primary}",
        addressee=None,
        urgency="normal",
        purpose="flood in the harbour district",
        reference=None,
        user_count=2,
        sent_n=0,
        received_n=1,
        created_at=at,
        expires_at=at + 30 * 86_400_000,
        due_at=at + 30 * 86_400_000,
    )
    return msgspec.structs.replace(new, **changes)


async def stored_in(
    there: Telling, role: Role, state: State | None, event: Event, **changes: Any
) -> Exchange:
    """`event` happens to an exchange that stands in `state`."""
    if state is None:
        return await there.begun(role, event, **changes)
    assert transition(role, state, event) is not None
    new = exchange(role, 1, to_ms(there.clock()), state=state, version=1, **changes)
    await there.store.write(lambda tx: exchanges.insert(tx, new))
    return await there.happens(new, event)
