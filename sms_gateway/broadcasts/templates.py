"""Texts as registered with the carriers: kept here with their state, since an unregistered text may be blocked on its way.

A template says nothing that shows that somebody asked for help (`composing`). Changing the words of one makes it a draft again:
the carriers registered other words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock
from sms_gateway.errors import BadInput, Conflict, NotFound
from texts.normalise import clean

from . import drafting
from .models import OutreachTemplate

LONGEST_NUMBER = 40
LONGEST_NOTE = 200


class Registration(StrEnum):
    """How far a carrier is with a template. Moved by hand: carriers tell by mail or on their own pages."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REGISTERED = "registered"
    REFUSED = "refused"


R = Registration
MOVES: Mapping[Registration, frozenset[Registration]] = {
    R.DRAFT: frozenset({R.SUBMITTED}),
    R.SUBMITTED: frozenset({R.REGISTERED, R.REFUSED, R.DRAFT}),
    R.REGISTERED: frozenset({R.REFUSED, R.DRAFT}),  # a carrier may take it back
    R.REFUSED: frozenset({R.SUBMITTED, R.DRAFT}),
}


class TemplateNotFound(NotFound):
    sentence = "没有这个模板。"


class TemplateNeedsTitle(BadInput):
    sentence = "请写一个名称，自己人看的，收短信的人看不到。"


class NumberIsMissing(BadInput):
    sentence = "请写运营商给的模板编号，批下来的模板才有。"


class TemplateHasChanged(Conflict):
    sentence = "别人刚改过这个模板。您写的字还在：先抄下来，刷新看过再改。"


class TemplateCannotMove(Conflict):
    sentence = "模板现在不能改成这个状态，请刷新后再看。"


async def list_templates(session: AsyncSession) -> Sequence[OutreachTemplate]:
    """All of them, the newest change first."""
    return (await session.scalars(select(OutreachTemplate).order_by(OutreachTemplate.changed_at.desc()))).all()


async def get(session: AsyncSession, template_id: int) -> OutreachTemplate:
    """The template of that id. Raises `TemplateNotFound`."""
    found = await session.get(OutreachTemplate, template_id)
    if found is None:
        raise TemplateNotFound
    return found


def version_of(template: OutreachTemplate) -> str:
    """What a form carries, so that nobody writes over what another has written meanwhile."""
    return template.changed_at.isoformat()


async def _get_unchanged(session: AsyncSession, template_id: int, version: str) -> OutreachTemplate:
    found = await session.get(OutreachTemplate, template_id, with_for_update=True)
    if found is None:
        raise TemplateNotFound
    if version_of(found) != version:
        raise TemplateHasChanged
    return found


def checked(title: str, body: str) -> tuple[str, str]:
    """Title and text as they are kept. Raises `TemplateNeedsTitle`, `drafting.TextIsMissing` and what `composing` refuses."""
    title, body = clean(title).strip()[: drafting.LONGEST_TITLE], clean(body).strip()
    if not title:
        raise TemplateNeedsTitle
    if not body:
        raise drafting.TextIsMissing
    drafting.composed_of(body)
    return title, body


async def create(session: AsyncSession, *, title: str, body: str, operator_id: int) -> OutreachTemplate:
    """A new one, a draft. `title` and `body` are `checked`."""
    made = OutreachTemplate(title=title, body=body, state=R.DRAFT, changed_by=operator_id, changed_at=clock.now())
    session.add(made)
    await session.flush()
    return made


async def change(
    session: AsyncSession, *, template_id: int, version: str, title: str, body: str, operator_id: int
) -> OutreachTemplate:
    """Other words or another name. Other words are a draft again, under no number of a carrier. `version`: as `version_of`
    said; raises `TemplateHasChanged`."""
    found = await _get_unchanged(session, template_id, version)
    if body != found.body:
        found.state, found.registered_as = R.DRAFT, None
    found.title, found.body, found.changed_by, found.changed_at = title, body, operator_id, clock.now()
    return found


async def set_state(
    session: AsyncSession, *, template_id: int, version: str, to: str, number: str, note: str, operator_id: int
) -> OutreachTemplate:
    """What the carrier says. Raises `TemplateHasChanged`, `TemplateCannotMove`, and `NumberIsMissing` for a registered one
    without its number."""
    found = await _get_unchanged(session, template_id, version)
    if to not in set(R) or R(to) not in MOVES[R(found.state)]:
        raise TemplateCannotMove
    number = clean(number).strip()[:LONGEST_NUMBER]
    if to == R.REGISTERED and not number:
        raise NumberIsMissing
    found.state, found.note = R(to), clean(note).strip()[:LONGEST_NOTE] or None
    found.registered_as = number if to == R.REGISTERED else None if to == R.DRAFT else found.registered_as
    found.changed_by, found.changed_at = operator_id, clock.now()
    return found


def is_registered(template: OutreachTemplate | None, body: str) -> bool:
    """Whether exactly these words are registered: a text that was changed after it was taken from a template is not."""
    return template is not None and template.state == R.REGISTERED and template.body.strip() == body.strip()
