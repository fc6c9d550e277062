"""The composer's form and the report's curves, decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from sms_gateway.broadcasts.models import BroadcastMinute
from sms_gateway.console import outreach_report_view as view
from sms_gateway.console.outreach_form import PLAIN, blank, meant, shown, typed
from sms_gateway.console.outreach_run import WIDTH, pieces

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


def test_what_is_shown_is_read_again_as_it_was() -> None:
    form = blank()
    form.plain |= {
        "title": "题",
        "body": "正文",
        "scheduled_at": "2026-12-02T10:30",
        "replies_per_thousand": "0.5",
        "error_percent": "12.5",
    }
    form.many |= {"hours_region": ["530627"], "hours_from": ["10:00"], "hours_to": ["18:00"], "regions": ["530602"]}
    draft = meant(form, now=NOW).draft
    assert draft is not None
    assert (draft.reply_share, draft.error_share, draft.hours_start) == (0.0005, 0.125, time(9))
    assert draft.scheduled_at == datetime(2026, 12, 2, 2, 30, tzinfo=UTC)
    assert draft.region_hours == {"530627": ["10:00", "18:00"]}
    assert meant(shown(draft), now=NOW).draft == draft


@given(st.dictionaries(st.sampled_from(PLAIN), st.text(max_size=30)))
def test_whatever_stands_in_the_fields_is_read_or_refused_and_stays(fields: dict[str, str]) -> None:
    form = typed(FormData(list(fields.items())))
    found = meant(form, now=NOW)
    assert (found.draft is None) == bool(found.problems)


def minute(after: int, what: str = "sent", count: int = 1) -> BroadcastMinute:
    return BroadcastMinute(broadcast_id=1, minute=NOW + timedelta(minutes=after), what=what, count=count)


def test_a_curve_has_a_point_for_each_moment_and_loses_none() -> None:
    rows = [minute(0, count=5), minute(3, count=2), minute(3, "failed"), minute(9, count=1)]
    span, points = view.curve(rows, ("sent", "failed"))
    assert span == timedelta(minutes=1)
    assert points["sent"] == [5, 0, 0, 2, 0, 0, 0, 0, 0, 1] and sum(points["failed"]) == 1
    assert view.labels_of(rows, span)[0] == "10:00"


def test_a_long_curve_is_drawn_in_few_points() -> None:
    rows = [minute(number) for number in range(0, 60 * 24 * 40, 60)]
    span, points = view.curve(rows, ("sent",))
    assert len(points["sent"]) <= view.MOST_POINTS and sum(points["sent"]) == len(rows)
    assert view.said_span(span) == "每天"


def test_a_bar_is_as_wide_as_its_numbers_together() -> None:
    made = pieces({"delivered": 3, "failed": 1, "created": 4})
    assert [piece.state for piece in made] == ["delivered", "failed", "created"]
    assert sum(piece.width for piece in made) == WIDTH and pieces({}) == []
