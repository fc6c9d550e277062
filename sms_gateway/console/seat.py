"""Who sits at the console: the session behind a request, its role and its CSRF token. Every route asks here."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from sms_gateway import clock
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.operators import signin
from sms_gateway.operators.models import Operator, Role
from sms_gateway.seeing import refusals

from . import cookies
from .ids import is_id
from .rules import Act, is_allowed

TOUCH_AFTER = timedelta(minutes=1)
SAFE = frozenset({"GET", "HEAD"})


class SignInFirst(HotlineError):
    status_code = 401
    sentence = "登录已过期，请重新登录。"


class NotYourRole(HotlineError):
    status_code = 403
    sentence = "这一项你的岗位做不了，请找值班长。"


class PageIsStale(HotlineError):
    status_code = 403
    sentence = "这一页已经失效，请刷新后再试。"


class NotOurPage(HotlineError):
    status_code = 403
    sentence = "请在值班台的页面上操作。"


@dataclass(frozen=True)
class Seat:
    """A signed-in operator and the session they came with."""

    operator: Operator
    csrf: str
    token: str

    def may(self, act: Act | str) -> bool:
        """Whether this operator's role allows `act`."""
        return is_allowed(self.operator.role, Act(act))

    @property
    def home(self) -> str:
        """The page to start from."""
        if self.may(Act.SEE_QUEUE):
            return "/"
        for act, page in ((Act.WORK, "/work"), (Act.REVIEW, "/review"), (Act.FOLLOW, "/follow")):
            if self.may(act):
                return page
        return "/handbook"

    @property
    def is_supervisor(self) -> bool:
        return self.operator.role == Role.SUPERVISOR


async def find_seat(request: Request, *, counts: bool = True) -> Seat | None:
    """The seat behind the request's cookie. `counts`: the request is a person's act, so the session stays awake."""
    token = cookies.read(request, cookies.SESSION)
    if token is None:
        return None
    async with transaction() as session:
        found = await signin.find_session(session, token)
        if found is None:
            return None
        if counts and clock.now() - found.last_seen_at > TOUCH_AFTER:
            await signin.touch(session, token)
        return Seat(found.operator, found.csrf, token)


class Sitting:
    """The dependency of a route: signed in, allowed to `act`, and for a change the page's own CSRF token."""

    def __init__(self, act: Act, *, counts: bool) -> None:
        self.act = act
        self._counts = counts

    async def __call__(self, request: Request) -> Seat:
        seat = await find_seat(request, counts=self._counts)
        if seat is None:
            raise SignInFirst
        if not seat.may(self.act):
            refusals.note("role", operator=seat.operator.id, act=self.act)
            raise NotYourRole
        if request.method not in SAFE:
            await _check_csrf(request, seat)
        await _check_family(request, seat)
        return seat


TELLS_OF = {
    "talk_id": "talk", "ticket_id": "ticket", "child_id": "child", "review_id": "review", "look_back_id": "look_back", "call_id": "bridge",
    "transfer_id": "transfer", "draft_id": "draft", "request_id": "police", "privacy_id": "privacy",
}  # fmt: skip
"""What in an address names something that tells of a person, as `recusing` calls it."""


async def _check_family(request: Request, seat: Seat) -> None:
    """Whoever knows the family sees and does nothing on any page that tells of that person ("我认识这家人")."""
    named = {kind: written for name, kind in TELLS_OF.items() if (written := request.path_params.get(name, ""))}
    if not named:
        return
    async with transaction() as session:
        for kind, written in named.items():
            if is_id(written):
                try:
                    await recusing.check(session, seat.operator.id, kind, int(written))
                except recusing.YouKnowThisFamily:
                    refusals.note("family", operator=seat.operator.id)
                    raise


async def _check_csrf(request: Request, seat: Seat) -> None:
    given = request.headers.get("x-csrf") or (await request.form()).get("csrf")
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), seat.csrf.encode()):
        refusals.note("page_token", operator=seat.operator.id)
        raise PageIsStale


def may(act: Act, *, counts: bool = True) -> Callable[[Request], Awaitable[Seat]]:
    """The dependency for `act`; one for each route, so that a test can walk them."""
    return Sitting(act, counts=counts)


BeingThere = Annotated[Seat, Depends(may(Act.BE_THERE, counts=False))]
Leaving = Annotated[Seat, Depends(may(Act.BE_THERE))]
KeepingOwnAccount = Annotated[Seat, Depends(may(Act.KEEP_OWN_ACCOUNT))]
KeepingAccounts = Annotated[Seat, Depends(may(Act.KEEP_ACCOUNTS))]
BeingHome = Annotated[Seat, Depends(may(Act.BE_THERE))]
WatchingQueue = Annotated[Seat, Depends(may(Act.SEE_QUEUE, counts=False))]
SeeingTalk = Annotated[Seat, Depends(may(Act.SEE_TALK))]
WatchingTalk = Annotated[Seat, Depends(may(Act.SEE_TALK, counts=False))]
Talking = Annotated[Seat, Depends(may(Act.TALK))]
ShowingNumber = Annotated[Seat, Depends(may(Act.SHOW_NUMBER))]
TakingOver = Annotated[Seat, Depends(may(Act.TAKE_FROM_COLLEAGUE))]
SeeingTickets = Annotated[Seat, Depends(may(Act.SEE_TICKETS))]
MovingTickets = Annotated[Seat, Depends(may(Act.MOVE_TICKETS))]
KeepingChildren = Annotated[Seat, Depends(may(Act.KEEP_CHILDREN))]
OpeningChild = Annotated[Seat, Depends(may(Act.OPEN_CHILD))]
ReportingDuty = Annotated[Seat, Depends(may(Act.REPORT_DUTY))]
SigningDuty = Annotated[Seat, Depends(may(Act.SIGN_DUTY))]
RulingTickets = Annotated[Seat, Depends(may(Act.RULE_TICKETS))]
Working = Annotated[Seat, Depends(may(Act.WORK))]
SearchingTickets = Annotated[Seat, Depends(may(Act.SEARCH_TICKETS))]
KeepingPushes = Annotated[Seat, Depends(may(Act.KEEP_PUSHES))]
SeeingFigures = Annotated[Seat, Depends(may(Act.SEE_FIGURES))]
ExportingTickets = Annotated[Seat, Depends(may(Act.EXPORT_TICKETS))]
GoingOnDuty = Annotated[Seat, Depends(may(Act.BE_ON_DUTY))]
SeeingGaps = Annotated[Seat, Depends(may(Act.SEE_GAPS))]
WritingHandbook = Annotated[Seat, Depends(may(Act.WRITE_HANDBOOK))]
DecidingHandbook = Annotated[Seat, Depends(may(Act.DECIDE_HANDBOOK))]
SeeingTeam = Annotated[Seat, Depends(may(Act.SEE_TEAM))]
WatchingTeam = Annotated[Seat, Depends(may(Act.SEE_TEAM, counts=False))]
AskingForImages = Annotated[Seat, Depends(may(Act.ASK_IMAGE))]
ApprovingImages = Annotated[Seat, Depends(may(Act.APPROVE_IMAGE))]
HandingToPolice = Annotated[Seat, Depends(may(Act.HAND_TO_POLICE))]
SeeingAudit = Annotated[Seat, Depends(may(Act.SEE_AUDIT))]
ExportingAudit = Annotated[Seat, Depends(may(Act.EXPORT_AUDIT))]
SeeingHistory = Annotated[Seat, Depends(may(Act.SEE_HISTORY))]
SeeingDutyBook = Annotated[Seat, Depends(may(Act.SEE_DUTY_BOOK))]
KeepingDutyBook = Annotated[Seat, Depends(may(Act.KEEP_DUTY_BOOK))]
HandingShift = Annotated[Seat, Depends(may(Act.HAND_SHIFT))]
Reviewing = Annotated[Seat, Depends(may(Act.REVIEW))]
Following = Annotated[Seat, Depends(may(Act.FOLLOW))]
SeeingOperations = Annotated[Seat, Depends(may(Act.SEE_OPERATIONS))]
WatchingOperations = Annotated[Seat, Depends(may(Act.SEE_OPERATIONS, counts=False))]
SigningBridge = Annotated[Seat, Depends(may(Act.SIGN_BRIDGE))]
KeepingEvidence = Annotated[Seat, Depends(may(Act.KEEP_EVIDENCE))]
AnsweringSubjects = Annotated[Seat, Depends(may(Act.ANSWER_SUBJECTS))]
SeeingOutreach = Annotated[Seat, Depends(may(Act.SEE_OUTREACH))]
WatchingOutreach = Annotated[Seat, Depends(may(Act.SEE_OUTREACH, counts=False))]
WritingOutreach = Annotated[Seat, Depends(may(Act.WRITE_OUTREACH))]
ReleasingOutreach = Annotated[Seat, Depends(may(Act.RELEASE_OUTREACH))]


def check_origin(request: Request) -> None:
    """Before there is a session: other sites' pages cannot sign anybody in."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None:
        ours = origin is None or origin.partition("://")[2] == request.headers.get("host")
    else:
        ours = site in ("same-origin", "none")
    if not ours:
        refusals.note("origin")
        raise NotOurPage
