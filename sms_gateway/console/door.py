"""Every route of the console, put together for the application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from . import (
    acts,
    bridging,
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
    pushes,
    review,
    signing,
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

router = APIRouter(include_in_schema=False)
for part in (signing.router, live.router, talks.router, acts.router, bridging.router, talk_history.router, team.router, operations.router, figures.router, pushes.router,
    ticket_search.router, ticket_export.router,  # before `/tickets/{ticket_id}`
    ticket_list.router, ticket_page.router, ticket_acts.router,
    ticket_ask.router, ticket_transfer.router, ticket_children.router, ticket_accused.router, ticket_duty.router,
    work_list.router, work_page.router, handbook_gaps.router,
    handbook_drafts.router, handbook_entries.router,
    colleagues.router, duty_book.router, follow.router, review.router, handover.router,
    outreach.router, outreach_templates.router, outreach_rolls.router, outreach_segments.router,  # before `/outreach/{broadcast_id}`
    outreach_compose.router, outreach_ready.router, outreach_release.router, outreach_run.router, outreach_report.router,
):  # fmt: skip
    router.include_router(part)

PUBLIC = frozenset({"/sign-in", "/sign-in/{token}", "/live/health", "/metrics"})
"""Routes that ask for no session; everything else must. `/metrics` asks for its token, or to be called from this machine."""


def furnish(app: FastAPI) -> None:
    """Give `app` the console's routes, its board and its own words for errors (after `dress`, whose handlers it replaces)."""
    app.state.board = live.Board()
    handbook_room.furnish(app)
    app.include_router(router)
    failures.listen_for(app)
