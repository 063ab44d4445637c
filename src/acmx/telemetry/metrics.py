"""The metrics of one server: what happens is counted as it happens, how things stand is read when somebody asks."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp

from acmx.delivery.sender import Send
from acmx.delivery.wire import Said, Wire
from acmx.domain.errors import AcmxError
from acmx.domain.messages import PROBLEM, Refusal
from acmx.storage.engine import Store
from acmx.storage.exchange.messages import Stored
from acmx.telemetry.problems_sent import ProblemsSent
from acmx.telemetry.watched_store import WatchedStore

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
PLANS = (1, 2, 4, 8, 16, 32, 64)
KNOWN = frozenset(error.type for error in AcmxError.__subclasses__())
OTHER = "other"


class Metrics:
    """Counters and histograms in a registry of its own, and what has to be wrapped so that they count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._commit_seconds = Histogram(
            "acmx_commit_seconds",
            "From handing a change to the store until it is durable",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._commit_plans = Histogram(
            "acmx_commit_plans", "Changes that became durable together", buckets=PLANS, registry=self.registry
        )
        self._sent = Counter(
            "acmx_refusals_sent",
            "Problem documents that this server answered with, by problem type",
            ("face", "type"),
            registry=self.registry,
        )
        self._received = Counter(
            "acmx_refusals_received",
            "Signed refusals of messages of ours, by partner and problem type",
            ("partner", "type"),
            registry=self.registry,
        )
        self._connections = Counter(
            "acmx_connections_refused",
            "Connections that ended before HTTP, by reason",
            ("face", "reason"),
            registry=self.registry,
        )

    def watch_store(self, store: Store) -> Store:
        return WatchedStore(store, self._commit_seconds.observe, self._commit_plans.observe)

    def watch_face(self, app: ASGIApp, face: str) -> ASGIApp:
        return ProblemsSent(app, lambda type_: self._sent.labels(face, type_).inc())

    def watch_connections(self, face: str, refused: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def count(reason: str, address: str) -> None:
            self._connections.labels(face, reason).inc()
            refused(reason, address)

        return count

    def watch_deliveries(self, send: Send) -> Send:
        async def counted(wire: Wire, message: Stored) -> Said:
            said = await send(wire, message)
            if isinstance(said.word, Refusal):
                type_ = said.word.type.removeprefix(PROBLEM)
                partner = wire.peer.metadata.system
                self._received.labels(partner, type_ if type_ in KNOWN else OTHER).inc()
            return said

        return counted
