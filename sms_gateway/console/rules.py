"""Who may do what in the console: the one table every route and every page asks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sms_gateway.operators.models import Role


class Act(StrEnum):
    """What a route lets somebody do."""

    BE_THERE = "be_there"
    """Heartbeat, live stream, duty on and off, sign out."""
    SEE_QUEUE = "see_queue"
    SEE_TALK = "see_talk"
    TALK = "talk"
    """Take over, write, mark, hand back, close."""
    SHOW_NUMBER = "show_number"
    SEE_TICKETS = "see_tickets"
    TAKE_FROM_COLLEAGUE = "take_from_colleague"
    SEE_TEAM = "see_team"


EVERYBODY = frozenset({Role.OPERATOR, Role.SUPERVISOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})

MAY: Mapping[Act, frozenset[Role]] = {
    Act.BE_THERE: EVERYBODY,
    Act.SEE_QUEUE: EVERYBODY,
    Act.SEE_TALK: EVERYBODY,
    Act.TALK: EVERYBODY,
    Act.SHOW_NUMBER: EVERYBODY,
    Act.SEE_TICKETS: EVERYBODY,
    Act.TAKE_FROM_COLLEAGUE: SUPERVISORS,
    Act.SEE_TEAM: SUPERVISORS,
}


def is_allowed(role: str, act: Act) -> bool:
    """Whether that role may; an act that is not in the table is nobody's."""
    return role in MAY.get(act, frozenset())
