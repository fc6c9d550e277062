"""Every route of the console, put together for the application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from . import (
    account,
    acts,
    audit_page,
    bridging,
    child_names,
    colleagues,
    duty_book,
    failures,
    figures,
    follow,
    handbook_drafts,
    handbook_entries,
    handbook_gaps,
    handbook_room,
    handover,
    holds,
    live,
    operations,
    outreach,
    outreach_compose,
    outreach_ready,
    outreach_release,
    outreach_report,
    outreach_rolls,
    outreach_run,
    outreach_segments,
    outreach_templates,
    police_page,
    privacy,
    pushes,
    review,
    sealed_page,
    second_step,
    signing,
    staff,
    talk_history,
    talks,
    team,
    ticket_accused,
    ticket_acts,
    ticket_ask,
    ticket_children,
    ticket_duty,
    ticket_export,
    ticket_list,
    ticket_page,
    ticket_search,
    ticket_transfer,
    work_list,
    work_page,
)  # fmt: skip
from .rules import MAY, Act
from .seat import Sitting

router = APIRouter(include_in_schema=False)
for part in (signing.router, second_step.router, account.router, staff.router, live.router, talks.router, acts.router, bridging.router, talk_history.router, team.router, operations.router, figures.router, pushes.router,
    ticket_search.router, ticket_export.router,  # before `/tickets/{ticket_id}`
    ticket_list.router, ticket_page.router, ticket_acts.router,
    ticket_ask.router, ticket_transfer.router, child_names.router, ticket_children.router, ticket_accused.router, ticket_duty.router,
    work_list.router, work_page.router, handbook_gaps.router,
    handbook_drafts.router, handbook_entries.router,
    holds.router, privacy.router, audit_page.router, sealed_page.router, police_page.router,
    colleagues.router, duty_book.router, follow.router, review.router, handover.router,
    outreach.router, outreach_templates.router, outreach_rolls.router, outreach_segments.router,  # before `/outreach/{broadcast_id}`
    outreach_compose.router, outreach_ready.router, outreach_release.router, outreach_run.router, outreach_report.router,
):  # fmt: skip
    router.include_router(part)

PUBLIC = frozenset(
    {
        "/sign-in", "/sign-in/{token}", "/second-step", "/second-step/code", "/second-step/enrol", "/second-step/password",
        "/live/health", "/metrics",
    }
)  # fmt: skip
"""Routes that ask for no session; everything else must, or the console does not start. `/metrics` asks for its token, or to be
called from this machine. What of them changes anything looks at
where it was asked from (`seat.check_origin`)."""


class RouteIsUnguarded(SystemExit):
    """A route nobody has decided about."""


def acts_of(route: APIRoute) -> list[Act]:
    """What a route asks for, by its dependencies."""
    found, waiting = list[Act](), list(route.dependant.dependencies)
    while waiting:
        dependant = waiting.pop()
        if isinstance(dependant.call, Sitting):
            found.append(dependant.call.act)
        waiting += dependant.dependencies
    return found


def routes_of(within: Iterable[Any]) -> Iterator[APIRoute]:
    """Every route, also of included routers."""
    for route in within:
        if isinstance(route, APIRoute):
            yield route
        elif (inner := getattr(route, "original_router", route)) is not None and getattr(inner, "routes", None):
            yield from routes_of(inner.routes)


def check_guards(within: Iterable[Any]) -> None:
    """Raises `RouteIsUnguarded` for a route that is neither public nor asks for something somebody may do."""
    for route in routes_of(within):
        acts = acts_of(route)
        if route.path not in PUBLIC and (not acts or not all(MAY.get(act) for act in acts)):
            raise RouteIsUnguarded(f"{route.path}：没有写明谁能用。 No capability named.")


def furnish(app: FastAPI) -> None:
    """Give `app` the console's routes, its board and its own words for errors (after `dress`, whose handlers it replaces)."""
    app.state.board = live.Board()
    handbook_room.furnish(app)
    app.include_router(router)
    check_guards(app.routes)
    failures.listen_for(app)
