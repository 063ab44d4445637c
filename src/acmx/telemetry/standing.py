"""How things stand when somebody asks: read from the database and from the parts of the server."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from acmx import __version__
from acmx.domain.acm1 import Component
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.operations import warn_of_expiry
from acmx.flows.operations.warn_of_expiry import End
from acmx.storage import clock_holds, gauges
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners

DAY = 86_400


class Parts(Struct, frozen=True):
    """What is asked of the running server: its loops, its open streams, the ends of its own certificates."""

    components: Callable[[], list[Component]]
    streams: Callable[[], int]
    ends: Callable[[], list[End]]


class Standing:
    """One look, as a registry of Prometheus."""

    def __init__(self, house: House, tx: Tx, parts: Parts) -> None:
        self._house = house
        self._now = to_ms(house.clock())
        self._families = [
            self._about(),
            *self._queues(tx),
            *self._pending(tx),
            *self._journal(tx),
            self._ends([*parts.ends(), *warn_of_expiry.of_partners(tx)]),
            _gauge(
                "clock_held",
                "1 while nothing expires, as the clock is in doubt",
                bool(clock_holds.every(tx)),
            ),
            _gauge("sse_clients", "Open streams of notifications", parts.streams()),
            _parts(parts.components()),
        ]

    def collect(self) -> Iterable[Metric]:
        return self._families

    def _about(self) -> Metric:
        about = GaugeMetricFamily("acmx_info", "Which system, which acmx", labels=["system", "version"])
        about.add_metric([self._house.system, __version__], 1)
        return about

    def _queues(self, tx: Tx) -> Iterator[Metric]:
        length = _of_partners("queue_messages", f"Messages that wait for a partner; at most {gauges.MOST}")
        given_up = _of_partners("queue_given_up", "Of those, the ones that are no longer sent")
        oldest = _of_partners("queue_oldest_seconds", "How long the oldest of the others has waited")
        for partner in partners.every(tx):
            waiting = gauges.waiting(tx, partner.id)
            length.add_metric([partner.id], waiting.total)
            given_up.add_metric([partner.id], waiting.given_up)
            oldest.add_metric([partner.id], self._since(waiting.oldest))
        yield from (length, given_up, oldest)

    def _pending(self, tx: Tx) -> Iterator[Metric]:
        pending = gauges.pending(tx)
        yield _gauge(
            "pending_requests", f"Requests of partners to be decided; at most {gauges.MOST}", pending.total
        )
        yield _gauge(
            "pending_oldest_seconds", "How long the oldest of them has waited", self._since(pending.oldest)
        )

    def _journal(self, tx: Tx) -> Iterator[Metric]:
        rows = gauges.journal(tx)
        yield _gauge("journal_rows", "Rows of the journal", rows.total)
        yield _gauge(
            "journal_unsealed_rows",
            f"Of those, the ones not sealed yet; at most {gauges.MOST}",
            rows.unsealed,
        )
        yield _gauge(
            "journal_unsealed_seconds", "How long the oldest of these has waited", self._since(rows.oldest)
        )

    def _ends(self, ends: Iterable[End]) -> Metric:
        days = GaugeMetricFamily(
            "acmx_certificate_days", "Days until a certificate ends, or the last key", labels=["what"]
        )
        for end in ends:
            days.add_metric([end.what], (end.at - self._house.clock()).total_seconds() / DAY)
        return days

    def _since(self, at: int | None) -> float:
        return 0.0 if at is None else max(self._now - at, 0) / 1000


def _parts(components: Iterable[Component]) -> Metric:
    up = GaugeMetricFamily("acmx_part_up", "0 where a part has failed or is stuck", labels=["part", "of"])
    for component in components:
        up.add_metric([component.name, component.of or ""], component.ok)
    return up


def _of_partners(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"acmx_{name}", meaning, labels=["partner"])


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"acmx_{name}", meaning, value=value)
