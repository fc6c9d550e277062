"""The composer's form: what stands in its fields, word for word, and what it means where it means something. Pure.

Nothing typed is lost: a form is kept as strings and shown again as it came, whatever was wrong with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any, TypeVar

from starlette.datastructures import FormData

from sms_gateway import clock
from sms_gateway.broadcasts import composing, drafting
from sms_gateway.broadcasts.acts import Draft
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.broadcasts.quiet_hours import SHANGHAI
from sms_gateway.broadcasts.segments import Segment, SegmentIsWrong
from sms_gateway.errors import HotlineError
from texts.normalise import clean

from .ids import is_id

PLAIN = (
    "title", "body", "template_id", "consent", "scheduled_at", "hours_start", "hours_end", "carrier_segments", "replies_per_thousand",
    "quiet_days", "waiting_seconds", "danger_replies", "error_percent", "pilot", "first_county",
)  # fmt: skip
MANY = ("rolls", "regions", "groups", "without", "hours_region", "hours_from", "hours_to")
MOST_TYPED = 4000
MOST_CHOSEN = 400
T = TypeVar("T")


@dataclass
class Typed:
    """The fields as they stand on the page."""

    plain: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PLAIN, ""))
    many: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in MANY})

    def __getitem__(self, name: str) -> str:
        return self.plain[name]

    def chosen(self, name: str) -> list[str]:
        """The values of a field that stands there several times."""
        return self.many[name]

    @property
    def other_hours(self) -> list[tuple[str, str, str]]:
        """(region, from, to) of each row, empty ones left out."""
        rows = zip(*(self.many[name] for name in ("hours_region", "hours_from", "hours_to")), strict=False)
        return [row for row in rows if any(row)]


@dataclass(frozen=True)
class Meant:
    """`draft`: None where something is wrong. `problems`: sentences by field. `figures`: what could be read, to reckon with."""

    draft: Draft | None
    problems: Mapping[str, str]
    figures: Draft


def typed(form: FormData) -> Typed:
    """What came, cut where nobody could have typed so much."""
    plain = {name: clean(value)[:MOST_TYPED] if isinstance(value := form.get(name, ""), str) else "" for name in PLAIN}
    many = {
        name: [clean(one)[:MOST_TYPED] for one in form.getlist(name) if isinstance(one, str)][:MOST_CHOSEN]
        for name in MANY
    }
    return Typed(plain, many)


def shown(one: Broadcast | Draft) -> Typed:
    """A draft's fields as the page shows them."""
    audience = one.audience
    plain = {
        "title": one.title, "body": one.body, "template_id": str(one.template_id or ""),
        "consent": "1" if audience.get("only_consented") else "",
        "scheduled_at": f"{clock.shanghai(one.scheduled_at):%Y-%m-%dT%H:%M}" if one.scheduled_at else "",
        "hours_start": f"{one.hours_start:%H:%M}", "hours_end": f"{one.hours_end:%H:%M}", "carrier_segments": _plain(one.carrier_segments),
        "replies_per_thousand": _plain(one.reply_share * 1000), "quiet_days": _plain(one.quiet_days), "waiting_seconds": _plain(one.waiting_seconds),
        "danger_replies": str(one.danger_replies), "error_percent": _plain(one.error_share * 100), "pilot": str(one.pilot),
        "first_county": one.first_county or "",
    }  # fmt: skip
    rows = [(region, *span) for region, span in (one.region_hours or {}).items()]
    many = {
        name: [str(value) for value in audience.get(name, ())] for name in ("rolls", "regions", "groups", "without")
    }
    many |= {
        name: [row[place] for row in rows] for place, name in enumerate(("hours_region", "hours_from", "hours_to"))
    }
    return Typed(plain, many)


def blank() -> Typed:
    """A new one: nothing but the usual figures."""
    return shown(Draft(title="", body="", audience={}))


def _plain(value: float) -> str:
    return f"{round(value, 6):g}" if value < 1e6 else f"{value:.0f}"


def meant(form: Typed, *, now: datetime) -> Meant:
    """Every field read, and all that is wrong said at once."""
    problems: dict[str, str] = {}

    def read(name: str, how: Callable[[str], T], instead: T, says: str) -> T:
        try:
            return how(form[name].strip())
        except (ValueError, OverflowError):
            problems[name] = says
            return instead

    say_number = "请写一个数，例如 10 或 0.5。"
    say_whole = "请写一个整数。"
    try:
        audience = Segment.from_data(audience_of(form)).to_data()
    except SegmentIsWrong as wrong:
        audience, problems["audience"] = {}, wrong.sentence
    draft = Draft(
        title=form["title"].strip(), body=form["body"].strip(), audience=audience, template_id=_id(form["template_id"]),
        scheduled_at=read("scheduled_at", _moment, None, "日期和时间没看懂，请用右边的日历选。"),
        hours_start=read("hours_start", time.fromisoformat, time(9), "请写成 09:00 这样。"),
        hours_end=read("hours_end", time.fromisoformat, time(20), "请写成 20:00 这样。"),
        region_hours={region: [start, end] for region, start, end in form.other_hours},
        pilot=read("pilot", int, 1000, say_whole), first_county=form["first_county"].strip() or None,
        carrier_segments=read("carrier_segments", _number, 10.0, say_number),
        reply_share=read("replies_per_thousand", _number, 1.0, say_number) / 1000, quiet_days=read("quiet_days", _number, 7.0, say_number),
        waiting_seconds=read("waiting_seconds", _number, 120.0, say_number), danger_replies=read("danger_replies", int, 3, say_whole),
        error_share=read("error_percent", _number, 10.0, say_number) / 100,
    )  # fmt: skip
    problems = {**_wrong(draft, now), **problems}
    return Meant(None if problems else draft, problems, draft)


def audience_of(form: Typed) -> dict[str, Any]:
    """The chosen audience as a form sends it, for `segments.Segment.from_data`."""
    return {
        "rolls": [int(one) for one in form.chosen("rolls") if is_id(one)],
        "regions": [one for one in form.chosen("regions") if one],
        "groups": list(form.chosen("groups")),
        "only_consented": bool(form["consent"]),
        "without": [int(one) for one in form.chosen("without") if is_id(one)],
    }


FIELD_OF: Sequence[tuple[type[HotlineError], str]] = (
    (drafting.TitleIsMissing, "title"), (drafting.TextIsMissing, "body"), (composing.TextIsTooLong, "body"), (composing.UnknownField, "body"),
    (composing.ShowsThatSomebodyAsked, "body"), (drafting.NotBeforeIsPast, "scheduled_at"), (drafting.NoSuchCounty, "first_county"),
    (drafting.HoursAreWrong, "hours_start"), (drafting.FiguresAreWrong, "figures"),
)  # fmt: skip
"""Beside which field a refusal is said."""


def problem_of(error: HotlineError) -> tuple[str, str]:
    """(field, sentence); a field of "" stands above the form."""
    return next((name for kind, name in FIELD_OF if isinstance(error, kind)), ""), error.sentence


HEALS: Mapping[str, Mapping[str, Any]] = {
    "title": {"title": "—"}, "body": {"body": "—"}, "scheduled_at": {"scheduled_at": None}, "first_county": {"first_county": None},
    "hours_start": {"hours_start": time(9), "hours_end": time(20), "region_hours": {}},
    "figures": {"pilot": 1, "carrier_segments": 1.0, "danger_replies": 1, "quiet_days": 0.0, "waiting_seconds": 0.0, "reply_share": 0.0, "error_share": 0.0},
}  # fmt: skip
"""What is put in place of a field that is wrong, so that the next wrong one is found too."""


def _wrong(draft: Draft, now: datetime) -> dict[str, str]:
    """All that `drafting.check` refuses, field by field: a missing title does not hide a text that is too long."""
    found: dict[str, str] = {}
    while True:
        try:
            drafting.check(draft, now=now)
        except HotlineError as error:
            name, sentence = problem_of(error)
            if name in found or name not in HEALS:
                return {**found, name: sentence}
            found[name] = sentence
            draft = replace(draft, **HEALS[name])
        else:
            return found


def _number(written: str) -> float:
    value = float(written.replace("％", "").replace("%", ""))
    if not math.isfinite(value):
        raise ValueError("not a number")
    return value


def _moment(written: str) -> datetime | None:
    return datetime.fromisoformat(written).replace(tzinfo=SHANGHAI) if written else None


def _id(written: str) -> int | None:
    return int(written) if is_id(written) else None
