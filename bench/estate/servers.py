"""Two `acmx serve` of the police on one database, behind a balancer for their partner, and one of the fire service."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bench.balancer import Balancer
from bench.neighbours import another
from bench.processes import Server, until
from bench.systems import FIRE, POLICE, onboard

from acmx.domain.errors import AcmxError

PATIENCE = 120.0
_PACE = {"probe_seconds = 30.0": "probe_seconds = 2.0", "answer_seconds = 30.0": "answer_seconds = 5.0"}


class Servers:
    """They run while this is entered. `url`: an empty database, which outlives its primary."""

    def __init__(self, folder: Path, url: str, *, require_synchronous: bool) -> None:
        self._stack = ExitStack()
        self._balancer = self._stack.enter_context(Balancer())
        way = f"https://127.0.0.1:{self._balancer.port}"
        onboard(folder, approves=1, via={POLICE: way}, databases={POLICE: url})
        required = (
            {"require_synchronous = false": "require_synchronous = true"} if require_synchronous else {}
        )
        for system in ("police", "fire"):
            _replace(folder / system / "config.toml", _PACE | (required if system == "police" else {}))
        self.police = [Server(folder / "police"), Server(another(folder / "police", folder / "police-2"))]
        self.fire = Server(folder / "fire")
        self.last_words: list[str] = []
        """Of those that ended by themselves."""

    def __enter__(self) -> Self:
        for server in self.all:
            self._stack.callback(server.kill)
            server.start()
        self._balancer.lead_to(*(server.ports[1] for server in self.police))
        for server in self.all:
            server.listening()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def all(self) -> list[Server]:
        return [*self.police, self.fire]

    def revive(self) -> None:
        """As whoever supervises them does: begin those again that have ended."""
        for server in self.all:
            if server.ended:
                self.last_words.append(
                    (server.directory / "server.log").read_text().rpartition("\n")[0][-300:]
                )
                server.start()

    def stop(self) -> None:
        for server in self.all:
            server.stop()

    def settle(self) -> None:
        """Wait until all are well, have compared, and nothing waits anywhere.

        Raises TimeoutError where what waits longest has not changed for `PATIENCE` seconds.
        """
        while open_ := self._unsettled():
            until(lambda: self._unsettled() != open_, within=PATIENCE, told=lambda: open_)

    def _open(self) -> list[str]:
        found = []
        for server, partner in ((self.police[0], FIRE), (self.police[1], FIRE), (self.fire, POLICE)):
            with server.client() as client:
                found += [
                    f"{server.directory.name}: {item.exchange}, {item.type} {item.n}"
                    for item in client.outbox(limit=3).items
                ]
                if due := client.partner(partner).comparison_due:
                    found.append(f"{server.directory.name}: a comparison is due: {due}")
        return found

    def _unsettled(self) -> str:
        self.revive()
        try:
            return "\n".join(self._open())
        except AcmxError as error:
            return str(error)


def _replace(path: Path, changed: dict[str, str]) -> None:
    text = path.read_text()
    for old, new in changed.items():
        assert old in text, f"no {old} in {path}"
        text = text.replace(old, new)
    path.write_text(text)
