"""What somebody wrote before is opened for a reason, and the reason is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow
from tests.telling import Person

from .conftest import SignIn

BEFORE = "老师总是骂我笨"


@pytest.mark.parametrize("fields", [{}, {"why": "other"}, {"why": "other", "words": " \n "}, {"why": "curious"}])
async def test_what_was_written_before_opens_with_a_reason_only_and_the_reason_is_kept(
    sign_in: SignIn, person: Person, clock: HeldClock, fields: dict[str, str]
) -> None:
    await person.texts(BEFORE)
    clock.advance(timedelta(days=2))
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    desk = await sign_in()
    at = f"/talks/{person.thread_id}/history"
    refused = await desk.do(at, **fields)
    assert refused.status_code == 422 and BEFORE not in refused.text
    assert BEFORE in (await desk.do(at, why="other", words="家长来电核对")).text
    async with transaction() as session:
        kept = (await session.scalars(select(AuditRow).where(AuditRow.what == "open_history"))).one()
    assert (kept.operator_id, kept.subject, kept.detail) == (
        desk.operator.id,
        f"thread:{person.thread_id}",
        "家长来电核对",
    )
