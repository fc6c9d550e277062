"""What is due and what keeps it: the whole rule, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.retention import periods
from sms_gateway.retention.dates import Span, ends
from sms_gateway.retention.decision import BEFORE_A_TICKET, Keeps, Matter, Seen, Standing, due_at, plan

KEEP = {kind: one.keep for kind, one in periods.with_changes({}).items()}
BEGIN = datetime(2026, 3, 10, 4, tzinfo=UTC)


def _after(**span: int) -> datetime:
    return ends(BEGIN, Span(**span)) + timedelta(hours=1)


def _ticket(*, harm: bool = False, closed: datetime | None = BEGIN, **more: object) -> Matter:
    values = {"ticket_id": 7, "mine": True, **more}
    return Matter(harm=harm, received_at=BEGIN, closed_at=closed, **values)  # type: ignore[arg-type]


def test_texts_of_somebody_without_a_matter_go_after_a_year() -> None:
    now = _after(months=12)
    found = plan(Standing(), KEEP, now)
    assert found.keeps is None and found.texts_before is not None
    assert BEGIN < found.texts_before <= now - timedelta(days=360)


def test_an_ordinary_ticket_goes_three_years_after_it_was_closed_and_keeps_its_talk_till_then() -> None:
    standing = Standing((_ticket(),))
    before = plan(standing, KEEP, _after(months=36) - timedelta(hours=2))
    assert before.tickets == frozenset() and before.texts_before == BEGIN - BEFORE_A_TICKET
    after = plan(standing, KEEP, _after(months=36))
    assert after.tickets == {7} and after.texts_before is not None and after.texts_before > BEGIN


def test_files_of_an_ordinary_ticket_go_before_its_words() -> None:
    assert plan(Standing((_ticket(),)), KEEP, _after(months=12)).media == {7}
    assert plan(Standing((_ticket(),)), KEEP, _after(months=12) - timedelta(hours=2)).media == frozenset()
    assert plan(Standing((_ticket(mine=False),)), KEEP, _after(months=12)).media == frozenset()


@pytest.mark.parametrize(
    ("children", "years"),
    [
        ((), 21),  # nobody knows the child: as if it were born that day
        ((Seen(BEGIN, None),), 21),
        ((Seen(BEGIN, 5),), 16),
        ((Seen(BEGIN, 17),), 10),  # 21 in four years: the ten years of the file are longer
        ((Seen(BEGIN, 16), Seen(BEGIN, 3)), 18),  # the youngest counts
        ((Seen(BEGIN, 40),), 10),
    ],
)
def test_harm_is_kept_ten_years_and_until_the_youngest_child_is_21(children: tuple[Seen, ...], years: int) -> None:
    assert due_at(_ticket(harm=True, children=children), KEEP) == ends(BEGIN, Span(months=12 * years))


@pytest.mark.parametrize(
    ("standing", "keeps"),
    [
        (Standing(held=True), Keeps.HOLD),
        (Standing(held=True, drill=True), Keeps.HOLD),
        (Standing((_ticket(closed=None),)), Keeps.OPEN),
        (Standing((_ticket(closed=None, mine=False, ticket_id=None),)), Keeps.OPEN),  # somebody else's, of the same child
        (Standing(open=True), Keeps.OPEN),
        (Standing(followed=True), Keeps.FOLLOWED),
        (Standing((_ticket(harm=True), _ticket(ticket_id=8))), Keeps.HARM),
    ],
)  # fmt: skip
def test_what_keeps_one_thing_keeps_all_that_belongs_together(standing: Standing, keeps: Keeps) -> None:
    now = BEGIN + timedelta(days=366 * 9)
    found = plan(standing, KEEP, now)
    assert found.keeps is keeps
    assert found.texts_before is None and not found.tickets and not found.media
    assert now < found.look_at <= now + timedelta(days=31)


def test_a_drill_goes_after_its_own_time_though_it_was_red() -> None:
    standing = Standing((_ticket(harm=True, closed=None),), drill=True, open=True)
    found = plan(standing, KEEP, _after(days=90))
    assert found.tickets == {7} and found.texts_before is not None and found.texts_before > BEGIN


MATTERS = st.builds(
    Matter,
    harm=st.booleans(),
    received_at=st.just(BEGIN),
    closed_at=st.one_of(st.none(), st.integers(0, 5000).map(lambda days: BEGIN + timedelta(days=days))),
    children=st.lists(st.builds(Seen, st.just(BEGIN), st.one_of(st.none(), st.integers(0, 60))), max_size=2).map(tuple),
    ticket_id=st.integers(1, 50),
    mine=st.booleans(),
)
STANDINGS = st.builds(
    Standing, st.lists(MATTERS, max_size=5, unique_by=lambda one: one.ticket_id).map(tuple),
    held=st.booleans(), open=st.booleans(), followed=st.booleans(),
)  # fmt: skip
NOWS = st.integers(0, 12_000).map(lambda days: BEGIN + timedelta(days=days, hours=7))


@given(STANDINGS, NOWS)
def test_nothing_ever_goes_that_is_held_open_followed_undue_or_somebody_elses(
    standing: Standing, now: datetime
) -> None:
    found = plan(standing, KEEP, now)
    assert found.look_at >= now + timedelta(days=1)  # nobody is looked at twice a night
    gone = [one for one in standing.matters if one.ticket_id in found.tickets]
    if standing.held or standing.open or standing.followed or any(one.closed_at is None for one in standing.matters):
        assert found.keeps is not None and not gone and not found.media and found.texts_before is None
    for matter in gone:
        due = due_at(matter, KEEP)
        assert matter.mine and due is not None and due <= now
    for matter in standing.matters:
        due = due_at(matter, KEEP)
        if due is None or due > now:
            assert found.texts_before is None or found.texts_before < matter.received_at
            if matter.harm:
                assert not found.tickets and not found.media and found.texts_before is None


@given(STANDINGS, NOWS, st.integers(1, 4000))
def test_what_is_due_stays_due_as_long_as_nothing_new_happens(standing: Standing, now: datetime, days: int) -> None:
    then = plan(standing, KEEP, now + timedelta(days=days))
    assert plan(standing, KEEP, now).tickets <= then.tickets


@given(STANDINGS, NOWS)
def test_nothing_due_is_forgotten(standing: Standing, now: datetime) -> None:
    found = plan(standing, KEEP, now)
    if found.keeps is None:
        due = {one.ticket_id for one in standing.matters if one.mine and (at := due_at(one, KEEP)) and at <= now}
        assert found.tickets == due
        coming = [at for one in standing.matters if (at := due_at(one, KEEP)) and at > now]
        assert all(found.look_at <= max(at, now + timedelta(days=1)) for at in coming)
