"""A talk as its page shows it, in the order of PRACTICE section 2. No I/O: everything was loaded before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sms_gateway import regions
from sms_gateway.bridge import placing
from sms_gateway.conversations import calling, caution, scene
from sms_gateway.conversations.overview import TalkPage
from sms_gateway.conversations.ownership import Owner
from sms_gateway.conversations.records import UNITS
from sms_gateway.escalations import ladder
from sms_gateway.escalations.ladder import State
from sms_gateway.messages.models import Author, Direction, Message
from sms_gateway.operators.models import Operator
from sms_gateway.tickets import lifecycle
from sms_gateway.tickets.models import Ticket
from sms_gateway.triage.judgement import Writer
from sms_gateway.wording import SIGNATURE

from . import canned, words
from .colleagues_view import ColleagueView
from .rules import Act
from .seat import Seat
from .talk_beside import Beside, safe_contact
from .talk_lost import lost_steps
from .talk_past import begins_at
from .talk_timeline import Entry, timeline

LAST_TEXTS = 3
SENT_SHOWN = 3
TRACK = (State.RINGING, State.ACKNOWLEDGED, State.IN_CONTACT, State.HANDED_OVER, State.CHILD_SEEN)
PLACES_READ = 20
"""How many of the newest texts are searched for the place."""


@dataclass(frozen=True)
class TalkView:
    """What the templates ask. `others`: colleagues who have this talk open; `supervisors`: those on duty now."""

    page: TalkPage
    seat: Seat
    others: Sequence[Operator] = ()
    supervisors: Sequence[Operator] = ()
    beside: Beside = field(default_factory=Beside)
    colleagues: ColleagueView = field(default_factory=ColleagueView)

    # ---- 1: colour, type, how urgent, since when ----

    @property
    def lane(self) -> str:
        return self.page.escalation.lane if self.page.escalation else self.page.thread.lane

    @property
    def danger(self) -> bool:
        return self.page.escalation is not None and self.page.escalation.lane in ("red", "orange")

    @property
    def title(self) -> str:
        call = self.page.escalation
        if call is None:
            return "普通会话" if self.page.thread.owner != Owner.CLOSED else "已结束的会话"
        return words.title_of(call.lane, call.harm, call.cause)

    @property
    def immediacy(self) -> str:
        began = self.page.began
        return words.IMMEDIACIES.get(began.immediacy or "", "") if began is not None and self.danger else ""

    @property
    def since(self) -> datetime | None:
        """The stopwatch runs from the text that brought the call; None when nothing waits."""
        return self.page.escalation.received_at if self.page.escalation else self.page.thread.waiting_since

    @property
    def reasons(self) -> list[str]:
        return (self.page.escalation.reasons or []) if self.page.escalation else []

    @property
    def services(self) -> list[str]:
        return list(self.page.escalation.services) if self.page.escalation else []

    # ---- whose it is, what may be done ----

    @property
    def mine(self) -> bool:
        return self.page.thread.owner == Owner.OPERATOR and self.page.thread.operator_id == self.seat.operator.id

    @property
    def held_by_other(self) -> bool:
        return self.page.thread.owner == Owner.OPERATOR and not self.mine

    @property
    def may_take_from(self) -> bool:
        return self.held_by_other and self.seat.may(Act.TAKE_FROM_COLLEAGUE)

    def can(self, state: str) -> bool:
        """Whether the open call may move there by this operator's hand."""
        call = self.page.escalation
        if call is None or not self.mine or (self.danger and not self.seat.operator.trained):
            return False
        signatures = ladder.SIGNATURES_NEEDED.get(State(state), 1)
        now = State.ACKNOWLEDGED if call.state == State.RINGING else call.state  # the step itself answers what rings
        return ladder.can_move(now, state, lane=call.lane, signatures=signatures)

    @property
    def may_hand_over(self) -> bool:
        """A call by hand may be noted; a second one (120 after 110) too."""
        return self.can("handed_over") or (self.mine and self.danger and self._state == State.HANDED_OVER)

    @property
    def may_close(self) -> bool:
        call = self.page.escalation
        return self.mine and (call is None or self.can("resolved"))

    @property
    def may_hand_back(self) -> bool:
        return self.mine and not self.danger

    @property
    def _state(self) -> str:
        return self.page.escalation.state if self.page.escalation else ""

    @property
    def track(self) -> list[tuple[str, str]]:
        """The way of a danger call: (words, `done` | `now` | `open`)."""
        reached = {step.what for step in self.page.steps if self._is_current(step.escalation_id)} | {self._state}
        return [
            (words.call_state(state, self.lane), "now" if state == self._state else "done" if state in reached or state == State.RINGING else "open")
            for state in TRACK
        ]  # fmt: skip

    def _is_current(self, escalation_id: int) -> bool:
        return self.page.escalation is not None and self.page.escalation.id == escalation_id

    @property
    def lost(self) -> bool:
        return self._state == State.LOST_CONTACT

    @property
    def lost_steps(self) -> list[str]:
        """What to do now that contact is lost."""
        handed = self.handed_to[-1][0] if self.handed_to else ""
        return lost_steps(self.page, self.beside, handed_to=handed, safe_contact=self.safe_contact)

    # ---- 2, 3: the words, the writer ----

    @cached_property
    def begins_at(self) -> datetime | None:
        """When this talk began; None: nothing was said before it."""
        call = self.page.escalation
        return begins_at(self.page.messages, self.page.events, call_since=call.received_at if call else None)

    @cached_property
    def messages(self) -> list[Message]:
        """Of the talk that goes on now, oldest first."""
        begin = self.begins_at
        return [m for m in self.page.messages if begin is None or m.at >= begin]

    @cached_property
    def past(self) -> list[Message]:
        """What was said before: shown to who says why."""
        return self.page.messages[: len(self.page.messages) - len(self.messages)]

    @property
    def has_history(self) -> bool:
        return bool(self.past or self.page.earlier)

    @cached_property
    def texts(self) -> list[Message]:
        """What the person wrote in it, oldest first."""
        return [message for message in self.messages if message.direction == Direction.IN]

    @property
    def writer(self) -> str:
        """The newest guess; a child, once any text read like a child's."""
        known = [m.writer for m in reversed(self.texts) if m.writer and m.writer != Writer.UNKNOWN]
        likely = Writer.CHILD if Writer.CHILD in known else next(iter(known), Writer.UNKNOWN)
        return words.WRITERS.get(likely, words.WRITERS["unknown"])

    @property
    def child(self) -> str:
        """What a form heard about the child."""
        for ticket in self.page.tickets:
            if ticket.thread_id == self.page.thread.id and (ticket.answers or {}).get("child"):
                return (ticket.answers or {})["child"]
        return ""

    @property
    def sexual(self) -> bool:
        return any(message.sexual for message in self.texts)

    @property
    def wants_woman(self) -> bool:
        """A girl's harm of this kind is heard by a woman (未保法 112); said while none has it."""
        return self.sexual and not (self.mine and self.seat.operator.woman)

    # ---- 4: may we call ----

    @cached_property
    def cautions(self) -> list[str]:
        said = caution.before_calling(message.body for message in self.page.inbound)
        return (["静默中：手机上什么都不发"] if self.page.contact.silent_at else []) + said

    @property
    def phone_is_fine(self) -> bool:
        """They chose it in a form of this matter, as the rule of a three-way call has it (`calling.known_about`)."""
        call = self.page.escalation
        return call is not None and not self.cautions and calling.said_fine(self.page.tickets, call)

    # ---- 5, 6: where, and what would be handed over ----

    @property
    def place(self) -> str | None:
        """What an operator wrote down in this matter, else what the person's newest words name, else what was known before."""
        noted = self.page.contact.region
        if noted and (self.place_by_operator or self._place_text is None):
            return noted
        bodies = [message.body for message in self.texts[-PLACES_READ:]]
        return placing.find(bodies, noted=noted).region

    @cached_property
    def place_by_operator(self) -> bool:
        call = self.page.escalation
        since = scene.begins_at(call) if call is not None else self.begins_at
        return any(event.what == scene.PLACE_SET and (since is None or event.at >= since) for event in self.page.events)

    @property
    def place_from(self) -> str:
        """How the place is known."""
        if self.place_by_operator:
            return "值班员写的"
        return "对方自己说的" if self.place_said else "以前记下的，先问一句"

    @cached_property
    def place_said(self) -> str:
        """The newest text that names a place of Yunnan, as it was written."""
        return self._place_text.body if self._place_text is not None else ""

    @cached_property
    def _place_text(self) -> Message | None:
        for message in self.texts[: -PLACES_READ - 1 : -1]:
            found = regions.recognise(message.body)
            if found.county or found.prefecture:
                return message
        return None

    @property
    def handed_to(self) -> list[tuple[str, datetime]]:
        """Units that were called by hand for the open call, oldest first."""
        call = self.page.escalation
        return [
            (UNITS.get(str(event.detail.get("unit")), ""), event.at)
            for event in self.page.events
            if event.what == "called_by_hand" and call is not None and event.detail.get("escalation") == call.id
        ]

    @property
    def record(self) -> list[str]:
        return (self.page.escalation.note or "").splitlines() if self.page.escalation else []

    # ---- 7: what went out by itself ----

    @property
    def sent(self) -> list[Message]:
        """The newest automatic texts, oldest first; those that did not arrive stay."""
        machine = [m for m in self.messages if m.direction == Direction.OUT and m.author != Author.OPERATOR]
        failed = [m for m in self.messages if m.state in words.NOT_ARRIVED]
        shown = {message.id: message for message in (*machine[-SENT_SHOWN:], *failed[-SENT_SHOWN:])}
        return [shown[key] for key in sorted(shown)]

    @property
    def did_not_arrive(self) -> bool:
        return any(message.state in words.NOT_ARRIVED for message in self.sent)

    # ---- 8: history in a line ----

    @property
    def open_tickets(self) -> list[Ticket]:
        return [ticket for ticket in self.page.tickets if lifecycle.is_open(ticket.status)]

    @property
    def safe_contact(self) -> str:
        return safe_contact(self.page.tickets)

    # ---- 9: the next question, and what may be said with one click ----

    @property
    def next(self) -> canned.Saying | None:
        said = [m.body.removeprefix(SIGNATURE) for m in self.messages if m.direction == Direction.OUT]
        return canned.next_question(self.harm, place_known=self.place is not None, said=said)

    @property
    def harm(self) -> str | None:
        return self.page.escalation.harm if self.page.escalation else None

    @property
    def sayings(self) -> list[canned.Saying]:
        """For every matter."""
        return canned.filled(canned.load().always, self._known)

    @property
    def sayings_here(self) -> list[canned.Saying]:
        """For this situation."""
        return canned.filled(canned.load().by_harm.get(self.harm or "none", ()), self._known)

    @property
    def _known(self) -> dict[str, str]:
        """What placeholders stand for in this talk; empty where it is not known."""
        ticket = next((t for t in self.page.tickets if t.thread_id == self.page.thread.id), None)
        return {
            "name": self.beside.called,
            "place": regions.full_name(self.place) if self.place else "",
            "badge": self.seat.operator.badge,
            "service": self.handed_to[-1][0] if self.handed_to else "",
            "number": ticket.number if ticket else "",
        }

    # ---- the rest ----

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(key, words.OUTCOMES[key]) for key in words.OUTCOMES_BY_LANE[self.lane]]

    def who(self, who: str) -> str:
        """`operator:3` as 值班员07 张三; `assistant` as 小助手."""
        if who.startswith("operator:"):
            found = self.page.operators.get(int(who[9:]))
            return f"{found.badge} {found.name}" if found else "值班员"
        return words.WHO.get(who, who)

    @property
    def timeline(self) -> list[Entry]:
        """Everything that happened in the talk that goes on now, newest first."""
        return timeline(self.page, self.messages, self.who, since=self.begins_at)
