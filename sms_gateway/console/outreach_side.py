"""What stands beside a draft while it is written: how it looks on a phone, what it costs, when it is done, who must be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, regions
from sms_gateway.broadcasts import composing, drafting, estimating, governing, quiet_hours, templates
from sms_gateway.broadcasts.acts import Draft
from sms_gateway.broadcasts.models import Broadcast, OutreachTemplate
from sms_gateway.errors import HotlineError
from sms_gateway.messages.segments import segments, units
from sms_gateway.settings import get_settings

from .outreach_form import Typed

SHOWN_FIRST = "530627"
"""The county a preview is filled in with until another is chosen."""


async def words_of(session: AsyncSession, body: str, template_id: int | None, preview: str) -> dict[str, Any]:
    """The text as somebody of `preview` gets it, its length and price, and what a carrier may say to it."""
    preview = preview if _is_county(preview) else SHOWN_FIRST
    template = await find_template(session, template_id)
    try:
        composed = drafting.composed_of(body, fen_per_segment=get_settings().segment_price_fen) if body else None
    except HotlineError:
        composed = None
    longest = _filled(body, drafting.longest_names())
    return {
        "text": _filled(body, drafting.fields_of(preview)), "composed": composed, "preview": preview, "template": template,
        "registered": templates.is_registered(template, body), "units": units(longest) if body else 0,
        "segments": segments(longest) if body else 0,
    }  # fmt: skip


async def find_template(session: AsyncSession, template_id: int | None) -> OutreachTemplate | None:
    """The template, where there still is one."""
    return await session.get(OutreachTemplate, template_id) if template_id else None


def _is_county(adcode: str) -> bool:
    try:
        return regions.get_region(adcode).level == "county"
    except HotlineError:
        return False


def _filled(body: str, fields: dict[str, str]) -> str:
    """With signature and footer; where a brace is wrong, as it was typed."""
    if not body:
        return ""
    try:
        return composing.whole(body, signature=drafting.SIGN, fields=fields)
    except HotlineError:
        return f"【{drafting.SIGN}】{body}"


async def reckon(
    session: AsyncSession, draft: Draft | Broadcast, *, recipients: int, segments_each: int
) -> estimating.Estimate | None:
    """Cost, finish and staffing; None where the figures do not give any."""
    try:
        return estimating.estimate(
            recipients=recipients, segments_each=segments_each, fen_per_segment=get_settings().segment_price_fen,
            carrier_segments=draft.carrier_segments, reply_share=draft.reply_share,
            hours=quiet_hours.Hours(draft.hours_start, draft.hours_end), start=max(draft.scheduled_at or clock.now(), clock.now()),
            free=await governing.count_free(session),
        )  # fmt: skip
    except (ValueError, OverflowError):
        return None


def theirs(before: Typed, mine: Typed, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """(field, value) of what somebody else saved meanwhile, where it is not what stands on this page."""
    said = [
        (names.get(name, name), value or "（空）") for name, value in before.plain.items() if value != mine.plain[name]
    ]
    others = [name for name, chosen in before.many.items() if chosen != mine.many[name]]
    return [*said, *((names.get(name, names["audience"]), "改过") for name in others)]
