"""复看: red and orange read by a second person, and the "no danger" texts with the highest scores."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from sms_gateway import clock
from sms_gateway.conversations import review_reading, reviewing
from sms_gateway.database import transaction
from sms_gateway.errors import NotFound
from sms_gateway.operators import presence, roster

from . import pages
from .ids import Id
from .seat import Reviewing
from .ticket_room import done

router = APIRouter()
PAGE = "/review"
VERDICT_NAMES = {"fine": "没问题", "learn": "可以学的", "missed": "漏了"}
WHY = "复看"
"""The reason kept with every talk opened here."""
Words = Annotated[str, Form(max_length=4000)]
Key = Annotated[str, Form(max_length=16)]
Day = Annotated[str, Query(max_length=10)]


class NoSuchDay(NotFound):
    sentence = "没有这一天的复看。"


@router.get(PAGE)
async def show_day(seat: Reviewing, day: Day = "") -> Response:
    """A day's list with its progress; without a day the newest one that is not read through."""
    async with transaction() as session:
        days = await review_reading.list_progress(session)
        chosen = _day(day) or next((one.day for one in days if one.read < one.total), None)
        chosen = chosen or (days[0].day if days else clock.shanghai(clock.now()).date() - timedelta(days=1))
        lines = await review_reading.list_day(session, chosen, operator_id=seat.operator.id)
        weeks = await review_reading.count_weeks(session)
        named = await roster.name_operators(session, {one.review.read_by for one in lines if one.review.read_by})
    return pages.render(
        "review.html", seat=seat, day=chosen, days=days, named=named, weeks=weeks, verdicts=VERDICT_NAMES,
        calls=[one for one in lines if one.review.kind == "second_read"],
        texts=[one for one in lines if one.review.kind == "no_danger"],
    )  # fmt: skip


def _day(words: str) -> date | None:
    if not words:
        return None
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise NoSuchDay from None


@router.get(f"{PAGE}/lessons")
async def show_lessons(seat: Reviewing) -> Response:
    """What there was to learn from, nobody's name beside it."""
    async with transaction() as session:
        lines = await review_reading.list_lessons(session, operator_id=seat.operator.id)
    return pages.render("review_lessons.html", seat=seat, lines=lines, verdicts=VERDICT_NAMES)


@router.get(PAGE + "/{review_id}")
async def show_matter(review_id: Id, seat: Reviewing) -> Response:
    """The talk around one matter; opening it is written into the audit with its reason."""
    async with transaction() as session:
        review = await reviewing.get_review(session, review_id)
        matter = await review_reading.load(session, review, operator_id=seat.operator.id)
        readers = {review.read_by} if review.read_by else set()
        writers = {text.operator_id for text in matter.texts if text.operator_id}
        named = await roster.name_operators(session, readers | writers)
        await presence.note(
            session, operator_id=seat.operator.id, what="open_review", subject=f"thread:{review.thread_id}", detail=WHY
        )
    return pages.render(
        "review_matter.html", seat=seat, matter=matter, review=review, named=named, verdicts=VERDICT_NAMES
    )


@router.post(PAGE + "/{review_id}/decide")
async def decide(
    request: Request, review_id: Id, seat: Reviewing, *, verdict: Key = "", words: Words = "", lane: Key = ""
) -> Response:
    """Write the verdict; what was missed is raised at once."""
    async with transaction() as session:
        review = await reviewing.decide(
            session, review_id, operator_id=seat.operator.id, verdict=verdict, words=words, lane=lane
        )
    return done(request, f"{PAGE}?day={review.day.isoformat()}")
