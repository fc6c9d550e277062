"""A broadcast's report in figures and charts. No I/O; every chart has its numbers in a table too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sms_gateway import clock
from sms_gateway.broadcasts import tallies
from sms_gateway.broadcasts.delays import STEPS, Delays
from sms_gateway.broadcasts.models import BroadcastMinute
from sms_gateway.broadcasts.overview import Progress
from sms_gateway.broadcasts.responses import Responses

from . import outreach_words, words
from .figures_parts import Chart
from .pages import place_name

MOST_POINTS = 150
"""Of a curve: more are drawn together, by 5 minutes, a quarter, an hour, a day."""
MOST_PLACES = 20
BUCKETS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 24 * 60))
STATE_COLOURS = ("#1f6f5c", "#6aab97", "#a34708", "#c2a14d", "#8a8075")
LANE_COLOURS = {"red": "#b3261e", "orange": "#c2570c", "blue": "#2f5f8f"}
SENT = ("delivered", "sent", "failed", "unknown", "suppressed")


@dataclass(frozen=True)
class Report:
    """What the page and the file show."""

    progress: Progress
    minutes: Sequence[BroadcastMinute]
    delays: Delays
    responses: Responses
    segments: int
    fen_each: float

    @property
    def left(self) -> int:
        """Texts that left, or may have."""
        return tallies.left(self.progress.states)

    @property
    def fen(self) -> float:
        """Of the texts that left, at the longest's price."""
        return self.left * self.fen_each

    @property
    def charts(self) -> list[Chart]:
        """Those that have anything to show."""
        made = [self.pace_chart, self.delay_chart, self.reply_chart, self.place_chart]
        return [chart for chart in made if chart.labels and any(any(values) for _name, values in chart.series)]

    @property
    def pace_chart(self) -> Chart:
        moves = [row for row in self.minutes if row.what in outreach_words.MINUTES]
        span, points = curve(moves, tuple(outreach_words.MINUTES))
        series = [(outreach_words.MINUTES[what], values) for what, values in points.items() if any(values)]
        return Chart("pace", f"{said_span(span)}多少条", "lines", labels_of(moves, span), series)

    @property
    def delay_chart(self) -> Chart:
        return Chart(
            "delays", f"多久送到（抽 {self.delays.sample:,} 条看）", "bars", DELAY_NAMES, [("条", self.delays.classes)]
        )

    @property
    def reply_chart(self) -> Chart:
        replies = [row for row in self.minutes if row.what in REPLIES]
        span, points = curve(replies, REPLIES, least=timedelta(hours=1))
        every, red, orange = (points[what] for what in REPLIES)
        blue = [max(0, all_ - r - o) for all_, r, o in zip(every, red, orange, strict=True)]
        series = [(words.LANES[lane], values) for lane, values in zip(LANE_COLOURS, (red, orange, blue), strict=True)]
        title, colours = f"{said_span(span)}多少回信", tuple(LANE_COLOURS.values())
        return Chart("replies", title, "lines", labels_of(replies, span), series, colours=colours)

    @property
    def place_chart(self) -> Chart:
        rows = self.places[:MOST_PLACES]
        series = [(outreach_words.STATES[state], [row.counts.get(state, 0) for row in rows]) for state in SENT]
        return Chart(
            "places",
            f"各县（最多的 {len(rows)} 个）",
            "stack",
            [row.name for row in rows],
            series,
            colours=STATE_COLOURS,
        )

    @property
    def places(self) -> list[PlaceRow]:
        """Every county, the largest first."""
        found = []
        for code, states in self.progress.regions.items():
            counts = tallies.by_state({code: states})
            found.append(
                PlaceRow(
                    code,
                    place_name(code) or "不知道哪个县",
                    sum(counts.values()),
                    counts,
                    self.responses.by_region.get(code, 0),
                )
            )
        return sorted(found, key=lambda row: (-row.total, row.code))


@dataclass(frozen=True)
class PlaceRow:
    """A county: numbers by state, and people who wrote back."""

    code: str
    name: str
    total: int
    counts: Mapping[str, int]
    people: int


DELAY_NAMES = ("5 秒内", "5–15 秒", "15 秒–1 分", "1–5 分", "5–30 分", "30 分以上")
assert len(DELAY_NAMES) == len(STEPS) + 1
REPLIES = ("reply", "reply_red", "reply_orange")
"""As `replies.counts_of` names them by the minute: all of them, and the two that are counted apart."""


def bucket(minutes: Iterable[datetime], *, least: timedelta) -> timedelta:
    """How wide a point of the curve is, so that there are not too many."""
    found = list(minutes)
    if not found:
        return least
    long = max(found) - min(found)
    return next((span for span in BUCKETS if span >= least and long / span <= MOST_POINTS), BUCKETS[-1])


def curve(
    rows: Sequence[BroadcastMinute], what: Sequence[str], *, least: timedelta = BUCKETS[0]
) -> tuple[timedelta, dict[str, list[int]]]:
    """(width of a point, counts by what): one for each point from the first to the last, empty ones too."""
    span = bucket((row.minute for row in rows), least=least)
    counted: dict[str, dict[datetime, int]] = {name: defaultdict(int) for name in what}
    for row in rows:
        if row.what in counted:
            counted[row.what][_floor(row.minute, span)] += row.count
    points = _points(rows, span)
    return span, {name: [counted[name].get(at, 0) for at in points] for name in what}


def labels_of(rows: Sequence[BroadcastMinute], span: timedelta) -> list[str]:
    """The time of each point."""
    points = _points(rows, span)
    days = {clock.shanghai(at).date() for at in points}
    form = "%m-%d" if span >= BUCKETS[-1] else "%m-%d %H:%M" if len(days) > 1 else "%H:%M"
    return [f"{clock.shanghai(at):{form}}" for at in points]


def _points(rows: Sequence[BroadcastMinute], span: timedelta) -> list[datetime]:
    if not rows:
        return []
    first, last = _floor(min(row.minute for row in rows), span), max(row.minute for row in rows)
    return [first + number * span for number in range(int((last - first) / span) + 1)]


def _floor(at: datetime, span: timedelta) -> datetime:
    local = clock.shanghai(at)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + span * ((local - midnight) // span)


def said_span(span: timedelta) -> str:
    """每分钟, 每 5 分钟, 每小时, 每天."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return "每分钟" if minutes == 1 else f"每 {minutes} 分钟"
    return "每小时" if minutes == 60 else "每天"
