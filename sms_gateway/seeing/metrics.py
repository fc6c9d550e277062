"""`/metrics` as Prometheus reads it: what this process counts of itself, and what the database says of all of them.

Workers have no port of their own: what they do stands in the database, which the doors read on a scrape, at most each
`KEPT_SECONDS`. So a worker may run anywhere and die at any time without a figure being lost. Every gateway and every console
gives the same figures of the whole hotline; rules take `max`, not `sum`, of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client import Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sms_gateway import beats, clock, links, logs
from sms_gateway.database import transaction
from sms_gateway.jobs import QUEUES
from sms_gateway.last_done import What
from sms_gateway.settings import DOMESTIC_CARRIERS

from . import counting, durations, machine, reading
from .durations import Kind
from .health import Health
from .machine import Machine
from .reading import Look

log = logs.get("seeing")

KEPT_SECONDS = 5.0
LOOK_SECONDS = 4.0
"""A database that takes longer counts as away: a scrape must end."""
SETTLED = timedelta(seconds=3)
"""Rows younger than this may still be in a transaction that has not ended; the next scrape counts them."""
WAIT_SECONDS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1800.0)
"""From the safe reply's 0.3 s to the ladder's 180 s, and beyond."""
WORKING = (*QUEUES, "outreach", "gateway", "console", *DOMESTIC_CARRIERS)

_waits = Histogram(
    "hotline_wait_seconds", "Seconds a person waited: turn, danger_reply (red to safe reply), danger_human (red to a person)",
    ("kind",), buckets=WAIT_SECONDS, registry=counting.registry,
)  # fmt: skip
for _kind in Kind:
    _waits.labels(_kind.value)


class Board:
    """What this process knows of the hotline, looked up at most once in `KEPT_SECONDS`. One an application."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._lock = asyncio.Lock()
        self._looked_at = float("-inf")
        self._look: Look | None = None
        self._counted_upto = clock.now()

    async def exposition(self) -> bytes:
        """Everything, in Prometheus's text format."""
        look, parts, here = await asyncio.gather(self.look(), self._health.look(), asyncio.to_thread(machine.look))
        families = [*_of_machine(here), *_of_parts(parts), *_of_look(look)]
        return generate_latest(counting.registry) + generate_latest(_Found(families))

    async def look(self) -> Look | None:
        """The newest look; None while the database is away."""
        async with self._lock:
            if time.monotonic() - self._looked_at >= KEPT_SECONDS:
                self._look = await self._fresh()
                self._looked_at = time.monotonic()
            return self._look

    async def _fresh(self) -> Look | None:
        upto = clock.now() - SETTLED
        try:
            async with asyncio.timeout(LOOK_SECONDS), transaction() as session:
                found = await reading.look(session)
                ended = await durations.list_ended(session, after=self._counted_upto, upto=upto)
        except Exception as error:  # noqa: BLE001  # whatever it is: a scrape says that the database is away
            log.warning("look_failed", error=type(error).__name__)
            return None
        for wait in ended:
            _waits.labels(wait.kind.value).observe(wait.seconds)
        self._counted_upto = max(self._counted_upto, upto)
        return found


class _Found(Collector):
    """Families made for one exposition."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hotline_{name}", says, value=value)


def _gauges(
    name: str, says: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"hotline_{name}", says, labels=labels)
    for words, value in values:
        made.add_metric(words, value)
    return made


def _of_machine(here: Machine) -> list[Metric]:
    return [
        _gauge("disk_free_bytes", "Free bytes of the disk under DATA_DIR", here.disk_free),
        _gauge("disk_size_bytes", "Bytes of that disk", here.disk_total),
        _gauges(
            "spooled_texts", "Texts that wait on this machine's disk for the database", ("lane",),
            [(("red",), here.spooled_red), (("other",), here.spooled - here.spooled_red)],
        ),
        _gauge("spool_age_seconds", "Seconds the oldest of them has waited", here.spool_age),
    ]  # fmt: skip


def _of_parts(parts: Mapping[str, str]) -> list[Metric]:
    answers = [((name,), says == "ok") for name, says in parts.items()]
    return [_gauges("part_up", "Whether a part answers, as /readyz says", ("part",), answers)]


def _of_look(look: Look | None) -> list[Metric]:
    found: list[Metric] = [_gauge("database_up", "Whether the database answered this scrape", look is not None)]
    if look is None:
        return found
    return [*found, *_of_queues(look), *_of_texts(look), *_of_lines(look), *_of_calls(look), *_of_upkeep(look)]


def _of_queues(look: Look) -> list[Metric]:
    queues = look.queues.items()
    fresh = look.at - beats.ALIVE_WITHIN
    alive = {name: sum(one.queue == name and one.at >= fresh for one in look.processes) for name in WORKING}
    memory = {name: max((one.memory_mb or 0 for one in look.processes if one.queue == name), default=0) for name in WORKING}  # fmt: skip
    return [
        _gauges("queue_waiting_jobs", "Jobs that may be taken", ("queue",), [((name,), one.waiting) for name, one in queues]),
        _gauges("queue_running_jobs", "Jobs in hand", ("queue",), [((name,), one.doing) for name, one in queues]),
        _gauges("queue_failed_jobs", "Jobs that ended in failure and are kept", ("queue",), [((name,), one.failed) for name, one in queues]),
        _gauges("queue_age_seconds", "Seconds the oldest job has waited to be taken", ("queue",), [((name,), one.age) for name, one in queues]),
        _gauges("processes_alive", "Processes that gave a sign of life lately", ("work",), [((name,), count) for name, count in alive.items()]),
        _gauges("process_memory_bytes", "Memory of the largest of them", ("work",), [((name,), mb * 1024**2) for name, mb in memory.items()]),
        _gauge("timers_overdue", "Timers that nobody took in time", look.timers_overdue),
        _gauge("timers_overdue_seconds", "Seconds the oldest of them is late", look.timers_age),
    ]  # fmt: skip


def _of_texts(look: Look) -> list[Metric]:
    return [
        _gauges(
            "texts_out", "Texts of talks of the last 15 minutes, by carrier and present state", ("carrier", "state"),
            [(words, count) for words, count in look.sends.items()],
        ),
        _gauge("broadcast_texts_per_second", "What running broadcasts send, as measured", look.broadcast_rate),
        _gauges("push_lag_seconds", "Seconds the oldest event waits for a unit's system", ("unit",), [((unit,), one.lag) for unit, one in look.pushes.items()]),
        _gauges("push_waiting_events", "Events that wait for it", ("unit",), [((unit,), one.waiting) for unit, one in look.pushes.items()]),
        _gauges("push_dead_letters", "Events given up after three days", ("unit",), [((unit,), one.dead) for unit, one in look.pushes.items()]),
    ]  # fmt: skip


def _of_lines(look: Look) -> list[Metric]:
    """Of lines to mainland carriers: sums over the processes of each."""
    fresh = [one for one in look.lines if one.at >= look.at - links.ALIVE_WITHIN]
    names = sorted({one.carrier for one in look.lines})

    def of(field: str) -> list[tuple[tuple[str, ...], float]]:
        return [((name,), sum(getattr(one, field) for one in fresh if one.carrier == name)) for name in names]

    counted = ("submitted", "refused", "throttled", "unknown", "delivered")
    return [
        _gauges("carrier_connections", "Connections to the gateway that are up", ("carrier",), of("up")),
        _gauges("carrier_connections_wanted", "Connections there should be", ("carrier",), of("wanted")),
        _gauges("carrier_window_used", "Requests without an answer", ("carrier",), of("in_flight")),
        _gauges("carrier_waiting_segments", "Segments that wait for a place on the wire", ("carrier",), of("waiting")),
        _gauges(
            "carrier_segments", "Segments since the line's process began, by what the gateway said; delivered: texts and reports from it",
            ("carrier", "what"), [((*name, what), value) for what in counted for name, value in of(what)],
        ),
        _gauges(
            "carrier_unclaimed_reports", "Reports of an hour ago and more whose text is not known", ("carrier",),
            [((name,), count) for name, count in look.unclaimed.items()],
        ),
    ]  # fmt: skip


def _of_calls(look: Look) -> list[Metric]:
    return [
        _gauge("danger_ringing", "Red calls that nobody has taken, without drills", look.ringing),
        _gauge("danger_ringing_seconds", "Seconds since the text of the oldest of them", look.ringing_age),
        _gauge("operators_on_duty", "Operators on duty with an open console", look.on_duty),
    ]


def _of_upkeep(look: Look) -> list[Metric]:
    """Seconds since 1970 of what was never done are 0: rules that look for what is old find it."""
    return [
        _gauge("database_size_bytes", "Bytes of our database", look.database_bytes),
        _gauges(
            "last_done_timestamp_seconds", "When a backup and a purge last came to a good end", ("what",),
            [((what.value,), _seconds(look.last_done.get(what))) for what in What],
        ),
    ]  # fmt: skip


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0
