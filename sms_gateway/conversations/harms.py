"""Harms in the words of a hand-over. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sms_gateway.messages.models import Message
from sms_gateway.triage.judgement import Harm, Writer

SAYS = {
    Harm.VIOLENCE: "有人打人、追人", Harm.SEXUAL: "孩子受到性方面的侵害", Harm.SELF_HARM: "要伤害自己", Harm.MISSING: "孩子走失或被带走",
    Harm.CONFINED: "被关住、不让走", Harm.ALONE: "小孩没人照看", Harm.FIRE: "着火、浓烟", Harm.MEDICAL: "受伤、生病或误食", Harm.TRAFFIC: "车祸",
    Harm.DROWNING: "落水、被水困", Harm.OTHER: "有危险",
}  # fmt: skip
WHEN = {"now": "，正在发生", "recent": "，刚发生（72 小时内）", "past": "，以前发生"}
ABOUT_WEAPONS = frozenset({"对方有刀、棍或别的凶器", "对方喝了酒"})
"""Of `caution.for_police`: what is told under 刀和酒; the rest belongs into the approach note."""
WHO = {
    Writer.CHILD: "来信的孩子本人", Writer.PARENT: "孩子；来信的是家长", Writer.BYSTANDER: "孩子；来信的是旁人",
    Writer.PROFESSIONAL: "孩子；来信的是老师、医生等",
}  # fmt: skip


def say(harm: str | None, immediacy: str | None) -> str:
    """What happens, for somebody who has read nothing."""
    return SAYS.get(Harm(harm) if harm in set(Harm) else Harm.OTHER, "有危险") + WHEN.get(immediacy or "", "")


def who(texts: Sequence[Message]) -> str:
    """Who is in danger, out of who seems to write."""
    writers = [message.writer for message in texts if message.writer and message.writer != Writer.UNKNOWN]
    if Writer.CHILD in writers:
        return WHO[Writer.CHILD]
    return WHO.get(Writer(writers[-1]), "孩子") if writers else "孩子；来信的是谁还不清楚"
