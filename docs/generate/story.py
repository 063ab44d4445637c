"""The two systems of the golden files, their ACM clients, and what is kept of what they say."""

from typing import Any

import msgspec
from docs.generate.delivery import Case, Files
from docs.generate.systems import FIRE, POLICE, Reply, System

from acmx.domain.documents import encode

USERS = [f"sip:officer.{n}@{POLICE.system}" for n in (1, 2)]


class Story:
    """Two systems, what their ACM clients say and what they carry to each other; what is to be kept of it."""

    def __init__(self, files: Files, police: System, fire: System) -> None:
        self.files = files
        self.case = Case(files)
        self.police = police
        self.fire = fire
        self.clock = police.clock
        self.keys = iter(range(1, 100))

    def keep(self, name: str, document: object) -> None:
        """`document` is a body as it was sent, or something to be encoded."""
        self.files[f"acm1/{name}.json"] = document if isinstance(document, bytes) else encode(document)

    async def dispatcher(self, method: str, path: str, document: Any = None, keep: str = "") -> Any:
        return await self.asked(self.police, "dispatcher", method, path, document, keep)

    async def watch_officer(self, method: str, path: str, document: Any = None, keep: str = "") -> Any:
        return await self.asked(self.fire, "watch-officer", method, path, document, keep)

    async def asked(self, system: System, who: str, method: str, path: str, document: Any, keep: str) -> Any:
        reply = await system.ask(method, path, document, who=who, key=self.key())
        assert reply.status in (200, 201), reply.body
        if keep:
            self.keep(keep, reply.body)
        return msgspec.json.decode(reply.body)

    def key(self) -> str:
        return f"0f8f4c9e-{next(self.keys):04d}"

    async def submit(self, keep: str = "", **changes: Any) -> str:
        usual = {
            "kind": "server-identity",
            "partner": FIRE.system,
            "users": USERS,
            "purpose": "mutual aid at the harbour fire",
        }
        submission = usual | changes
        accepted = await self.dispatcher("POST", "/requests", submission, "accepted" if keep else "")
        if keep:
            self.keep(keep, submission)
        id_: str = accepted["id"]
        return id_

    async def review(self, id_: str, reason: str, *verdicts: dict[str, Any], keep: str = "") -> None:
        seen = (await self.watch_officer("GET", f"/requests/{id_}"))["seen"]
        document = {"verdicts": list(verdicts), "reason": reason, "seen": seen}
        await self.watch_officer("POST", f"/requests/{id_}/review", document, "reviewed" if keep else "")
        if keep:
            self.keep(keep, document)

    async def to_fire(self, name: str = "", reply: str = "") -> Reply:
        return await self.case.carry(self.police, self.fire, name, reply)

    async def to_police(self, name: str = "", reply: str = "") -> Reply:
        return await self.case.carry(self.fire, self.police, name, reply)
