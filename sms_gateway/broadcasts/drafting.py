"""What a draft must be before it is kept. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Protocol

from sms_gateway import regions
from sms_gateway.errors import BadInput, HotlineError
from sms_gateway.wording import SIGNATURE

from . import composing
from .quiet_hours import MARGIN, SHORTEST, Hours

SIGN = SIGNATURE.strip("【】")
LONGEST_TITLE, LONGEST_BODY = 80, 600


class TitleIsMissing(BadInput):
    sentence = "请给这条群发起个名字（最多 80 个字）。"


class TextIsMissing(BadInput):
    sentence = "还没有写短信的内容。"


class HoursAreWrong(BadInput):
    sentence = "可以发的时段不对：要早开始、晚结束，最少 30 分钟，最早 07:00，最晚 22:00。"


class NotBeforeIsPast(BadInput):
    sentence = "定的时间已经过去了，请改成以后的时间。"


class FiguresAreWrong(BadInput):
    sentence = "有个数不对：速率和试发人数要大于 0，回信比例和出错比例在 0 到 1 之间，天数和秒数不能是负的。"


class NoSuchCounty(BadInput):
    sentence = "没有这个县（市、区）。"


EARLIEST, LATEST = time(7), time(22)
SHORTEST_DAY = timedelta(minutes=30)
TYPED_WITHIN = timedelta(minutes=1)
"""A page gives whole minutes: the one just begun is meant for now."""


class Drafted(Protocol):
    """What `check` reads of `acts.Draft`."""

    @property
    def title(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def scheduled_at(self) -> datetime | None: ...
    @property
    def hours_start(self) -> time: ...
    @property
    def hours_end(self) -> time: ...
    @property
    def region_hours(self) -> dict[str, list[str]] | None: ...
    @property
    def pilot(self) -> int: ...
    @property
    def first_county(self) -> str | None: ...
    @property
    def carrier_segments(self) -> float: ...
    @property
    def reply_share(self) -> float: ...
    @property
    def quiet_days(self) -> float: ...
    @property
    def waiting_seconds(self) -> float: ...
    @property
    def danger_replies(self) -> int: ...
    @property
    def error_share(self) -> float: ...


def check(draft: Drafted, *, now: datetime) -> composing.Composed:
    """The text as its longest recipient gets it. Raises a sentence for the first thing that is wrong."""
    if not draft.title.strip() or len(draft.title) > LONGEST_TITLE:
        raise TitleIsMissing
    if not draft.body.strip():
        raise TextIsMissing
    composed = composed_of(draft.body)
    check_hours(draft.hours_start, draft.hours_end)
    for region, span in (draft.region_hours or {}).items():
        check_region(region)
        check_hours(*read_span(span))
    if draft.first_county is not None:
        check_region(draft.first_county)
    if draft.scheduled_at is not None and draft.scheduled_at < now - TYPED_WITHIN:
        raise NotBeforeIsPast
    _check_figures(draft)
    return composed


def composed_of(body: str, *, fen_per_segment: float = 0.0) -> composing.Composed:
    """`body` with signature, footer and the longest names of places. Raises what `composing.compose` raises."""
    if len(body) > LONGEST_BODY:
        raise composing.TextIsTooLong(f"写了 {len(body)} 个字，最多 {LONGEST_BODY} 个字。")
    return composing.compose(body, signature=SIGN, longest=longest_names(), fen_per_segment=fen_per_segment)


def longest_names() -> dict[str, str]:
    """The longest value of each field: what a text may cost at most."""
    names: dict[str, str] = {}
    for field, level in (("county", "county"), ("prefecture", "prefecture")):
        names[field] = max((region.name for region in regions.list_regions(level)), key=len)
    return names


def fields_of(region: str) -> dict[str, str]:
    """The fields' values for somebody of that county or prefecture; where it is not known, words that fit anybody."""
    place = regions.get_region(region) if region else None
    if place is None or place.level == "province":
        return {"county": "本地", "prefecture": "云南"}
    if place.level == "prefecture":
        return {"county": place.name, "prefecture": place.name}
    return {"county": place.name, "prefecture": regions.get_region(f"{region[:4]}00").name}


def hours_of(start: time, end: time, region_hours: dict[str, list[str]], region: str) -> Hours:
    """The hours of a region: its county's own, else its prefecture's own, else those of the whole broadcast."""
    for key in (region, f"{region[:4]}00"):
        if key in region_hours:
            return Hours(*read_span(region_hours[key]))
    return Hours(start, end)


def read_span(span: Any) -> tuple[time, time]:
    """`["09:30", "18:00"]`. Raises `HoursAreWrong`."""
    try:
        first, second = span
        return time.fromisoformat(first), time.fromisoformat(second)
    except (TypeError, ValueError):
        raise HoursAreWrong from None


def check_hours(start: time, end: time) -> None:
    """Raises `HoursAreWrong`."""
    minutes = (end.hour - start.hour) * 60 + end.minute - start.minute
    if start < EARLIEST or end > LATEST or minutes < max(SHORTEST_DAY, MARGIN + SHORTEST).total_seconds() / 60:
        raise HoursAreWrong


def check_region(adcode: str) -> None:
    """Raises `NoSuchCounty`."""
    try:
        regions.get_region(adcode)
    except HotlineError:
        raise NoSuchCounty from None


def _check_figures(draft: Drafted) -> None:
    above_none = (draft.pilot, draft.carrier_segments, draft.danger_replies)
    none_or_more = (draft.quiet_days, draft.waiting_seconds)
    shares = (draft.reply_share, draft.error_share)
    well = all(0 < value <= 1e6 for value in above_none) and all(0 <= value <= 1e6 for value in none_or_more)
    if not well or not all(0 <= value <= 1 for value in shares):
        raise FiguresAreWrong
