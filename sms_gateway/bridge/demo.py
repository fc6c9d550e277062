"""Made-up duty posts for development: 镇雄 and 昆明五华, with numbers of the demo's own range only."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.database import dispose, transaction
from sms_gateway.settings import get_settings

from . import duty_book
from .models import DutyPost

NAMES = {
    "desk110": "演示 110 指挥中心", "police_post": "演示派出所 值班室", "civil_night": "演示民政 夜间值守", "shelter": "演示救助站", "hospital": "演示县医院急诊",
    "township": "演示镇儿童督导员", "village": "演示村儿童主任", "education": "演示教体局 值班", "women": "演示妇联", "justice": "演示驻点司法社工",
}  # fmt: skip
COUNTIES = ("530627", "530102")


async def fill() -> None:
    """Make the demo posts; nothing in production mode."""
    settings = get_settings()
    if settings.production or not settings.demo_data:
        return
    async with transaction() as session:
        await fill_posts(session)
    await dispose()


async def fill_posts(session: AsyncSession) -> int:
    """Make the posts where a county has none; returns how many. 五华 is left without a social worker, to be seen as missing."""
    made = 0
    for place, adcode in enumerate(COUNTIES):
        if await session.scalar(select(DutyPost.id).where(DutyPost.region == adcode).limit(1)) is not None:
            continue
        for number, (kind, name) in enumerate(NAMES.items()):
            if adcode == COUNTIES[1] and kind == "justice":
                continue
            phone = f"+861380000{8000 + 100 * place + number}"
            await duty_book.add(session, region=adcode, kind=kind, name=name, phone=phone, hours="24 小时", by=None)
            made += 1
    return made
