"""Demo accounts for development: one supervisor, two operators, one editor of the handbook, two departments; they sign in by one-time links."""

from __future__ import annotations

from sms_gateway.database import dispose, transaction
from sms_gateway.settings import get_settings

from . import accounts
from .models import Role

AT_THE_DESK = (Role.OPERATOR, Role.SUPERVISOR)
DEMO = (
    ("demo-banzhang", "演示值班长", Role.SUPERVISOR, None),
    ("demo-zhiban", "演示值班员", Role.OPERATOR, None),
    ("demo-zhiban2", "演示值班员二", Role.OPERATOR, None),
    ("demo-bianji", "演示手册编辑", Role.EDITOR, None),
    ("demo-zhijian", "演示质检员", Role.QUALITY, None),
    ("demo-gean", "演示镇雄个案跟进人", Role.FOLLOWER, "12345@530627"),
    ("demo-jiaoyu", "演示镇雄教体局", Role.DEPARTMENT, "edu@530627"),
    ("demo-minzheng", "演示镇雄民政局", Role.DEPARTMENT, "civil@530627"),
)


async def fill() -> None:
    """Make the demo accounts where they are missing; nothing in production mode."""
    settings = get_settings()
    if settings.production or not settings.demo_data:
        return
    async with transaction() as session:
        for login, name, role, unit in DEMO:
            if await accounts.find(session, login) is None:
                await accounts.add(
                    session, login=login, name=name, role=role, password=None, unit=unit, trained=role in AT_THE_DESK
                )
    await dispose()
