"""The table of periods (`periods.yml`) with what this hotline set otherwise; what law fixes cannot be shortened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings

from .dates import Span

FILE = Path(__file__).with_name("periods.yml")


class PeriodsAreWrong(HotlineError):
    """Nothing is purged until it is put right: too long is mended later, too short never."""


@dataclass(frozen=True)
class Period:
    """One kind: how long, from when, by what source; `floor` is what law fixes at least."""

    kind: str
    name: str
    keep: Span
    since: str
    source: str
    floor: Span | None = None


class Periods(dict[str, Period]):
    """By kind."""

    def keep(self, kind: str) -> Span:
        return self[kind].keep


def load() -> Periods:
    """The table as this hotline lives by it. Raises `PeriodsAreWrong` with a sentence."""
    return with_changes(get_settings().retention_periods)


def with_changes(changes: Mapping[str, str]) -> Periods:
    """The table with other lengths for some kinds. Raises `PeriodsAreWrong`."""
    table = dict(_table())
    for kind, written in changes.items():
        if kind not in table:
            raise PeriodsAreWrong(f"HOTLINE_RETENTION_PERIODS 里没有 {kind} 这一类。")
        period, keep = table[kind], _span(kind, written)
        if period.floor is not None and period.floor > keep:
            raise PeriodsAreWrong(f"HOTLINE_RETENTION_PERIODS 的 {kind} 不能短于 {period.floor}：{period.source}。")
        table[kind] = Period(kind, period.name, keep, period.since, period.source, period.floor)
    if table["trackers"].keep > table["talks"].keep:
        raise PeriodsAreWrong("HOTLINE_RETENTION_PERIODS 的 trackers 不能比 talks 长。")
    return Periods(table)


def _span(kind: str, written: str) -> Span:
    try:
        return Span.read(written)
    except HotlineError as error:
        raise PeriodsAreWrong(f"HOTLINE_RETENTION_PERIODS 的 {kind}：{error.sentence}") from None


@cache
def _table() -> Mapping[str, Period]:
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        kind: Period(
            kind, row["name"], Span.read(row["keep"]), row["from"], row["source"],
            Span.read(row["floor"]) if "floor" in row else None,
        )
        for kind, row in rows.items()
    }  # fmt: skip
