"""A talk that called nobody is read for a reason that is kept; danger, a call and one's own talk are reasons by themselves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sms_gateway.clock import HeldClock
from sms_gateway.conversations import openings
from sms_gateway.conversations.ownership import Owner
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Role
from tests.telling import Person

from .conftest import SignIn

WORDS = "学校天天占体育课"
SHUT = "写理由，打开会话"


async def _audit(what: str) -> list[str | None]:
    async with transaction() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.what == what).order_by(AuditRow.id))
        return [row.detail for row in rows]


async def test_a_talk_with_the_assistant_opens_for_two_hours_with_a_reason(
    sign_in: SignIn, person: Person, clock: HeldClock
) -> None:
    desk, other = await sign_in(), await sign_in("lead", "班长", Role.SUPERVISOR)
    await person.texts(WORDS)
    talk = f"/talks/{person.thread_id}"
    colleague = await sign_in("he", "同事")
    for act in ("take", "hand-back"):  # nobody is called any more
        assert (await colleague.do(f"{talk}/{act}")).status_code == 200
    page = (await desk.see(talk)).text
    assert SHUT in page and WORDS not in page
    for method, path in (("see", "/live"), ("do", "/history")):
        answer = await getattr(desk, method)(talk + path)
        assert answer.status_code in (403, 422) and WORDS not in answer.text
    for form in ({}, {"why": "other"}, {"why": "nosy", "words": "看看"}):
        assert (await desk.do(f"{talk}/open", **form)).status_code == 422
    assert (await desk.do(f"{talk}/open", why="ticket", words="核对学校")).status_code == 303
    assert WORDS in (await desk.see(talk)).text and (await desk.see(f"{talk}/live")).status_code == 200
    assert await _audit("open_shut_talk") == ["办工单，要看原话：核对学校"]
    assert SHUT in (await other.see(talk)).text  # a reason is the one's who said it
    clock.advance(timedelta(hours=2, seconds=1))
    assert SHUT in (await (await sign_in("later", "晚班")).see(talk)).text
    await openings.sweep()
    async with transaction() as session:
        assert list(await session.scalars(select(openings.TalkOpening))) == []


async def test_danger_is_the_reason_by_itself_and_the_audit_says_so(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    assert SHUT not in (await desk.see(f"/talks/{person.thread_id}")).text
    assert await _audit("open_talk") == ["红色在办，值班中"]


async def test_what_they_had_in_hand_stays_open_a_while(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await person.texts(WORDS)
    talk = f"/talks/{person.thread_id}"
    assert (await desk.do(f"{talk}/take")).status_code == 200
    assert (await desk.do(f"{talk}/hand-back")).status_code == 200
    assert WORDS in (await desk.see(talk)).text
    assert SHUT in (await (await sign_in("he", "同事")).see(talk)).text


def test_the_talk_itself_is_a_reason_only_while_it_is_ones_own_or_waits_for_a_person() -> None:
    reasons = {
        (owner, mine, called): openings.has_reason(owner=owner, mine=mine, called=called)
        for owner in Owner for mine in (True, False) for called in (True, False)
    }  # fmt: skip
    assert {key for key, found in reasons.items() if not found} == {
        (owner, False, False) for owner in (Owner.ASSISTANT, Owner.OPERATOR, Owner.CLOSED)
    }
