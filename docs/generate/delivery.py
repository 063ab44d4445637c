"""Hands waiting messages from one system of the examples to the other, as `acmx.delivery` does over TLS."""

import msgspec
from docs.generate.systems import Place, Reply, System

from acmx.delivery.reply import record
from acmx.domain.documents import encode
from acmx.domain.messages import Receipt, Refusal
from acmx.flows.acm2.replied import Replied
from acmx.storage.exchange import messages, outbox
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.outbox import Queued

Files = dict[str, bytes]


class Attempt(msgspec.Struct, frozen=True):
    """A message on its way, signed."""

    queued: Queued
    message: Stored
    signature: str

    @property
    def place(self) -> Place:
        return self.queued.primary_system, self.queued.id, self.queued.n


class Case(msgspec.Struct, frozen=True):
    """An exchange, with the messages and replies that went into files."""

    files: Files

    def keep(self, name: str, body: bytes, signature: str | None = None) -> None:
        self.files[f"acm2/{name}.json"] = body
        if signature is not None:
            self.files[f"acm2/{name}.signature"] = f"{signature}\n".encode()

    async def carry(self, sender: System, receiver: System, name: str, reply_name: str = "") -> Reply:
        """Deliver the one message that waits, and keep it (and the reply) under these names."""
        sent = await attempt(sender, receiver)
        reply = await deliver(sender, receiver, sent)
        if name:
            self.keep(name, sent.message.body, sent.signature)
        if reply_name:
            self.keep(reply_name, reply.body, reply.signature)
        return reply


async def attempt(sender: System, receiver: System) -> Attempt:
    """The first message that waits for this receiver; that it was sent is committed before it leaves."""
    now = int(sender.clock().timestamp() * 1000)
    [queued] = await sender.store.read(lambda tx: outbox.ready(tx, receiver.id, now, 1))
    [queued] = await sender.store.write(lambda tx: outbox.attempt(tx, [queued], now))
    message = await sender.store.read(
        lambda tx: messages.at(tx, queued.primary_system, queued.id, sender.id, queued.n)
    )
    assert message is not None
    place = (queued.primary_system, queued.id, queued.n)
    return Attempt(queued, message, sender.sign(message.body, to=receiver.id, place=place))


async def deliver(sender: System, receiver: System, sent: Attempt) -> Reply:
    """The receiver's reply, recorded at the sender."""
    reply = await receiver.hear(sender.certificate, sent.place, sent.message.body, sent.signature)
    now = int(sender.clock().timestamp() * 1000)
    replied = Replied(sent.queued, sender.id, reply.body, reply.signature or "", now)
    word: Receipt | Refusal
    if reply.status == 200:
        word = msgspec.json.decode(reply.body, type=Receipt)
    else:
        word = msgspec.json.decode(reply.body, type=Refusal)
    await sender.store.write(lambda tx: record(tx, replied, word))
    return reply


def changed(body: bytes, **members: object) -> bytes:
    """A message body with other members; `sender` stands for `from`; the order stays."""
    document = msgspec.json.decode(body)
    document |= {"from" if name == "sender" else name: value for name, value in members.items()}
    return encode({name: value for name, value in document.items() if value is not None})
