"""Who may do what in the console: the one table every route and every page asks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sms_gateway.operators.models import Role


class Act(StrEnum):
    """What a route lets somebody do."""

    BE_THERE = "be_there"
    """Heartbeat, live stream, duty on and off, sign out."""
    KEEP_OWN_ACCOUNT = "keep_own_account"
    """Own password, own sessions."""
    KEEP_ACCOUNTS = "keep_accounts"
    """See colleagues' accounts, let somebody bind a new phone."""
    SEE_QUEUE = "see_queue"
    SEE_TALK = "see_talk"
    TALK = "talk"
    """Take over, write, mark, hand back, close."""
    SHOW_NUMBER = "show_number"
    SEE_TICKETS = "see_tickets"
    MOVE_TICKETS = "move_tickets"
    """Dispatch, ask, conclude, decline, merge, mend."""
    RULE_TICKETS = "rule_tickets"
    """Rule on a return, decide on an extension, take a refusal back."""
    KEEP_CHILDREN = "keep_children"
    """Record, mend, link, merge children and persons complained of."""
    OPEN_CHILD = "open_child"
    """Read the names of children and of those complained of, with a reason that is kept."""
    REPORT_DUTY = "report_duty"
    """Note that the police and others were told, or why not."""
    SIGN_DUTY = "sign_duty"
    """Sign that something is not reported, as another than who wrote why."""
    WORK = "work"
    """A unit's own matters: sign for, return, ask, reply."""
    SEARCH_TICKETS = "search_tickets"
    SEE_FIGURES = "see_figures"
    EXPORT_TICKETS = "export_tickets"
    KEEP_PUSHES = "keep_pushes"
    """See how departments' systems keep up with their events, pause them, send again."""
    TAKE_FROM_COLLEAGUE = "take_from_colleague"
    SEE_TEAM = "see_team"
    """The supervisor's wall: who is on, their load, what waits, listening in, whispering."""
    ASK_IMAGE = "ask_image"
    """Mark a file as a sensitive picture; ask to open one once."""
    APPROVE_IMAGE = "approve_image"
    """Let another open it."""
    HAND_TO_POLICE = "hand_to_police"
    """Enter a letter of the police, allow another's, have the file made."""
    SEE_AUDIT = "see_audit"
    """Who read or did what, and why."""
    EXPORT_AUDIT = "export_audit"
    SEE_HISTORY = "see_history"
    """Open what this person wrote before, with a reason that is kept."""
    SEE_DUTY_BOOK = "see_duty_book"
    """A county's duty book, and its monthly test calls."""
    KEEP_DUTY_BOOK = "keep_duty_book"
    HAND_SHIFT = "hand_shift"
    REVIEW = "review"
    """Read red and orange a second time, and the "no danger" texts with the highest scores."""
    FOLLOW = "follow"
    """Look again after the child was seen."""
    SEE_OPERATIONS = "see_operations"
    """How the machine does: queues, waits, processes."""
    SIGN_BRIDGE = "sign_bridge"
    """Let a call end in which a bridge was used; settle a failed bridge."""
    BE_ON_DUTY = "be_on_duty"
    SEE_GAPS = "see_gaps"
    """Questions the handbook could not answer, in people's words, and everything else of the handbook."""
    WRITE_HANDBOOK = "write_handbook"
    """Write drafts, propose them, take an answer out of use."""
    DECIDE_HANDBOOK = "decide_handbook"
    """Approve or reject what somebody else proposed."""
    SEE_OUTREACH = "see_outreach"
    """Broadcasts, their figures, templates and rolls; never a number."""
    WRITE_OUTREACH = "write_outreach"
    """Write drafts and templates, bring rolls, prepare, send a test."""
    KEEP_EVIDENCE = "keep_evidence"
    """Hold a person's matter as evidence, ask to lift a hold, sign that it is lifted."""
    ANSWER_SUBJECTS = "answer_subjects"
    """Record who asks for their data or its erasure, hand out the file, erase."""
    RELEASE_OUTREACH = "release_outreach"
    """Approve what somebody else wrote; start, pause, let go on, cancel."""


EVERYBODY = frozenset(Role)
AT_THE_DESK = frozenset({Role.OPERATOR, Role.SUPERVISOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})
UNITS = frozenset({Role.DEPARTMENT})
EDITORS = frozenset({Role.EDITOR, Role.SUPERVISOR})

MAY: Mapping[Act, frozenset[Role]] = {
    Act.BE_THERE: EVERYBODY,
    Act.KEEP_OWN_ACCOUNT: EVERYBODY,
    Act.KEEP_ACCOUNTS: SUPERVISORS,
    Act.SEE_QUEUE: AT_THE_DESK,
    Act.SEE_TALK: AT_THE_DESK,
    Act.TALK: AT_THE_DESK,
    Act.SHOW_NUMBER: AT_THE_DESK,
    Act.SEE_TICKETS: AT_THE_DESK,
    Act.MOVE_TICKETS: AT_THE_DESK,
    Act.RULE_TICKETS: SUPERVISORS,
    Act.KEEP_CHILDREN: AT_THE_DESK,
    Act.OPEN_CHILD: AT_THE_DESK,
    Act.REPORT_DUTY: AT_THE_DESK,
    Act.SIGN_DUTY: SUPERVISORS,
    Act.WORK: UNITS,
    Act.SEARCH_TICKETS: AT_THE_DESK | UNITS,
    Act.SEE_FIGURES: SUPERVISORS,
    Act.EXPORT_TICKETS: SUPERVISORS,
    Act.KEEP_PUSHES: SUPERVISORS,
    Act.TAKE_FROM_COLLEAGUE: SUPERVISORS,
    Act.SEE_TEAM: SUPERVISORS,
    Act.ASK_IMAGE: AT_THE_DESK,
    Act.APPROVE_IMAGE: SUPERVISORS,
    Act.HAND_TO_POLICE: SUPERVISORS,
    Act.SEE_AUDIT: SUPERVISORS,
    Act.EXPORT_AUDIT: SUPERVISORS,
    Act.SEE_HISTORY: AT_THE_DESK,
    Act.SEE_DUTY_BOOK: AT_THE_DESK,
    Act.KEEP_DUTY_BOOK: SUPERVISORS,
    Act.HAND_SHIFT: AT_THE_DESK,
    Act.REVIEW: frozenset({Role.QUALITY, Role.SUPERVISOR}),
    Act.FOLLOW: frozenset({Role.FOLLOWER, Role.SUPERVISOR}),
    Act.SEE_OPERATIONS: SUPERVISORS,
    Act.SIGN_BRIDGE: SUPERVISORS,
    Act.BE_ON_DUTY: AT_THE_DESK,
    Act.SEE_GAPS: EDITORS,
    Act.WRITE_HANDBOOK: EDITORS,
    Act.DECIDE_HANDBOOK: EDITORS,
    Act.KEEP_EVIDENCE: SUPERVISORS,
    Act.ANSWER_SUBJECTS: SUPERVISORS,
    Act.SEE_OUTREACH: EDITORS,
    Act.WRITE_OUTREACH: EDITORS,
    Act.RELEASE_OUTREACH: EDITORS,
}


def is_allowed(role: str, act: Act) -> bool:
    """Whether that role may; an act that is not in the table is nobody's."""
    return role in MAY.get(act, frozenset())
