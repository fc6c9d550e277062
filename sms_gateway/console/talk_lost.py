"""The steps that stand beside a talk in which contact was lost, from what its page knows."""

from __future__ import annotations

from sms_gateway.bridge.models import WITH_DESK
from sms_gateway.contacts.models import Channel
from sms_gateway.conversations import lost_contact
from sms_gateway.conversations.overview import TalkPage
from sms_gateway.settings import get_settings

from .talk_beside import Beside


def lost_steps(page: TalkPage, beside: Beside, *, handed_to: str, safe_contact: str) -> list[str]:
    """`handed_to`: who was called by hand; a desk that has the matter stands before them."""
    handing = beside.handing
    desks = [one.call.service for one in beside.bridges if one.call.state in WITH_DESK]
    facts = lost_contact.Facts(
        handed_to=desks[0] if desks else handed_to,
        place=handing.incident.place if handing is not None and handing.incident.region else "",
        can_be_driven_to=handing is not None and handing.incident.below_county,
        near=[post.name for post in beside.posts], safe_contact=safe_contact, others=beside.reporters,
        may_write=page.thread.channel != Channel.DESK, ask_minutes=get_settings().ask_desk_minutes,
    )  # fmt: skip
    return lost_contact.next_steps(facts)
