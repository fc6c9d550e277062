"""Whether the one who reported suspected harm may be told by text that it was looked into (未成年人保护法 第11条第3款). Pure.

The words say nothing of the child. The phone may be the child's, or somebody's who must not know: the same rules hold
as for a follow-up, but for what is true of every matter of harm (its lane, its secrecy).
"""

from __future__ import annotations

from .follow_up_rules import CHILD_LIKE, Facts, Reason

OUTSIDE_THE_HOME = frozenset({"bystander", "professional"})
"""Writers who do not live where the child does, as far as their words show."""


def why_not(facts: Facts, *, other_danger: bool) -> Reason | None:
    """The first reason against it; None: the text may go out. `other_danger`: another matter of harm of this person is open."""
    return next((reason for reason, holds in _reasons(facts, other_danger) if holds), None)


def _reasons(facts: Facts, other_danger: bool) -> tuple[tuple[Reason, bool], ...]:
    return (
        (Reason.SILENT, facts.silent),
        (Reason.DANGER_OPEN, other_danger or facts.talk_lane == "red"),
        (Reason.LEFT_ALONE, facts.wish == "先别找我" or facts.again == "不能"),
        (Reason.CHILD_PHONE, facts.writer in CHILD_LIKE),
        (Reason.SEALED, facts.sealed and facts.writer not in OUTSIDE_THE_HOME),
        (Reason.ANONYMOUS, facts.anonymous),
        (Reason.WANTS_CALL, facts.wish == "打电话"),
        (Reason.NO_ADDRESS, facts.channel != "sms"),
    )
