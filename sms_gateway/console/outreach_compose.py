"""写群发短信: the form with everything it leads to beside it. Nothing typed is lost: what is refused is shown again as it came."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs
from sms_gateway.broadcasts import acts, templates, trying
from sms_gateway.broadcasts.lifecycle import BroadcastCannotMove, Status
from sms_gateway.broadcasts.models import Broadcast
from sms_gateway.database import transaction
from sms_gateway.errors import Conflict, HotlineError

from . import outreach_audience, outreach_words, pages
from .ids import Id, is_id
from .outreach_form import PLAIN, Meant, Typed, audience_of, blank, meant, problem_of, shown, typed
from .outreach_ready import ready_part
from .outreach_room import PAGE, by_place, list_events, name_people, place_groups, way_to
from .outreach_side import reckon, theirs, words_of
from .seat import Seat, SeeingOutreach, WritingOutreach

log = logs.get("console")
router = APIRouter(prefix=PAGE)
FIELDS = (*(name for name in PLAIN if name not in ("template_id", "consent")), "figures", "audience")
"""Beside each of these a refusal can stand."""


@router.get("/new")
async def show_new(seat: WritingOutreach) -> Response:
    """An empty form; nothing is kept before it is saved."""
    async with transaction() as session:
        return await _form_page(session, seat, None, blank())


@router.post("")
async def create(request: Request, seat: WritingOutreach) -> Response:
    """Keep it as a draft; what is wrong is said beside what was typed."""
    form = typed(await request.form())
    read = meant(form, now=clock.now())
    async with transaction() as session:
        if read.draft is None:
            return await _form_page(session, seat, None, form, problems=read.problems)
        made = await acts.create(session, operator_id=seat.operator.id, draft=read.draft)
    log.info("broadcast_drafted", broadcast=made.id, operator=seat.operator.id)
    return RedirectResponse(f"{PAGE}/{made.id}/write", status_code=303)


@router.get("/{broadcast_id}")
async def lead_in(broadcast_id: Id, seat: SeeingOutreach) -> Response:  # noqa: ARG001 - the seat is the permission
    """To the page on which it goes on."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
    return RedirectResponse(way_to(one), status_code=303)


@router.get("/{broadcast_id}/write")
async def show_form(broadcast_id: Id, seat: SeeingOutreach) -> Response:
    """The form of a draft; of anything else the page it is on."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        if one.status != Status.DRAFT:
            return RedirectResponse(way_to(one), status_code=303)
        return await _form_page(session, seat, one, shown(one))


@router.post("/{broadcast_id}/save")
async def save(request: Request, broadcast_id: Id, seat: WritingOutreach) -> Response:
    """Keep it. Somebody else's save meanwhile, and whatever is wrong, are said above what was typed."""
    sent = await request.form()
    form, written = typed(sent), str(sent.get("version", ""))
    version = int(written) if is_id(written) else 0
    read = meant(form, now=clock.now())
    try:
        async with transaction() as session:
            if read.draft is not None:
                await acts.edit(session, broadcast_id, version=version, operator_id=seat.operator.id, draft=read.draft)
                log.info("broadcast_edited", broadcast=broadcast_id, operator=seat.operator.id)
                return RedirectResponse(f"{PAGE}/{broadcast_id}/write", status_code=303)
    except BroadcastCannotMove:
        raise
    except HotlineError as error:
        if error.status_code == 404:
            raise
        return await _again(seat, broadcast_id, form, read, error)
    return await _again(seat, broadcast_id, form, read, None)


async def _again(seat: Seat, broadcast_id: int, form: Typed, read: Meant, error: HotlineError | None) -> Response:
    """The page as it was sent, with what stands against it."""
    async with transaction() as session:
        one = await acts.get(session, broadcast_id)
        if isinstance(error, Conflict):
            other = theirs(shown(one), form, outreach_words.FORM_FIELDS)
            return await _form_page(session, seat, one, form, conflict=True, theirs=other)
        name, sentence = problem_of(error) if error is not None else ("", "")
        problems = {**read.problems, name: sentence} if error is not None else read.problems
        return await _form_page(session, seat, one, form, problems=problems)


@router.post("/check")
async def check_new(request: Request, seat: WritingOutreach) -> Response:  # noqa: ARG001 - the permission
    """`check` of one that is not kept yet."""
    return await _side(request)


@router.post("/{broadcast_id}/check")
async def check(request: Request, broadcast_id: Id, seat: WritingOutreach) -> Response:  # noqa: ARG001 - the permission
    """While somebody types: what it leads to, reckoned on the server as it will be. Nothing is kept."""
    return await _side(request)


async def _side(request: Request) -> Response:
    sent = await request.form()
    form = typed(sent)
    preview = str(sent.get("preview", ""))[:6]
    read = meant(form, now=clock.now())
    async with transaction() as session:
        said = await words_of(session, form["body"].strip(), _template_id(form), preview)
        counted = await outreach_audience.count(session, audience_of(form))
        estimate = None
        if counted is not None and said["segments"]:
            estimate = await reckon(session, read.figures, recipients=counted.total, segments_each=said["segments"])
    problems = dict(read.problems)
    for name in ("title", "body"):  # nobody is told off for what they have not come to yet
        if not form[name]:
            problems.pop(name, None)
    return pages.render(
        "_outreach_side.html", **said, groups=place_groups(), estimate=estimate, problems=problems, fields=FIELDS, again=True,
        counted=counted, by_county=by_place(counted.regions) if counted is not None else [],
    )  # fmt: skip


def _template_id(form: Typed) -> int | None:
    return int(form["template_id"]) if is_id(form["template_id"]) else None


async def _form_page(
    session: AsyncSession, seat: Seat, one: Broadcast | None, form: Typed, *, problems: Any = None, conflict: bool = False,
    theirs: Any = (),
) -> Response:  # fmt: skip
    tried = problems is not None or conflict
    events = await list_events(session, one.id) if one is not None else []
    more: dict[str, Any] = {}
    if one is not None:
        more = {**await ready_part(session, one), "tests": await trying.list_tested(session, one.id)}
    return pages.render(
        "outreach_compose.html", status=409 if conflict else 422 if tried else 200, seat=seat, one=one, form=form,
        problems=problems or {}, tried=tried, conflict=conflict, theirs=theirs, version=one.version if one is not None else 1,
        groups=place_groups(), templates=await templates.list_templates(session), events=events,
        sent_back=next((each for each in events[:1] if each.what == "sent_back"), None), most_numbers=trying.MOST_NUMBERS,
        people=await name_people(session, [one.created_by]) if one is not None else {},
        **await outreach_audience.offers(session), **more,
    )  # fmt: skip
