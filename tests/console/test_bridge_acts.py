"""What an operator does about hand-overs on the talk's page: writes down the desk's number, goes on to the province."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from tests.telling import Person

from .conftest import Desk, SignIn

KICKING = "有个叔叔一直在踹我家门 我在镇雄县泼机镇老街12号"
SCRIPT = '<script>alert(1)</script>"'


async def _handed_over(desk: Desk, person: Person, *, driver: str, error: str | None = None) -> int:
    """A talk in this operator's hand with a hand-over that the desk's telephone answered, or that failed; its id."""
    await person.texts(KICKING)
    assert (await desk.do(f"/talks/{person.thread_id}/take")).status_code == 200
    assert (await desk.do(f"/talks/{person.thread_id}/bridge", service="110")).status_code == 200
    async with transaction() as session:
        call_id = (await session.scalars(update(BridgeCall).values(driver=driver).returning(BridgeCall.id))).one()
        call = await bridge.lock(session, call_id)
        if error is None:
            await bridge.note(session, call, "desk_answered")
        else:
            await bridge.fail(session, call, error=error)
    return call_id


async def _calls() -> list[BridgeCall]:
    async with transaction() as session:
        return list(await session.scalars(select(BridgeCall).order_by(BridgeCall.id)))


async def test_a_desk_on_the_telephone_is_asked_for_its_number_and_has_the_matter_then(
    sign_in: SignIn, person: Person
) -> None:
    desk = await sign_in()
    call_id = await _handed_over(desk, person, driver="call")
    of = f"/talks/{person.thread_id}/bridge/{call_id}"
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "接起了，等你记编号" in page and f'hx-post="{of}/receipt"' in page and "没接成" in page
    assert "对方已接" not in page
    assert (await desk.do(f"{of}/receipt", reference=" ")).status_code == 422
    assert (await desk.do(f"/talks/{person.thread_id}/bridge/{call_id + 1}/receipt", reference="1")).status_code == 404
    assert (await desk.do(f"{of}/receipt", reference=SCRIPT)).status_code == 200
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "对方已接" in page and f"{of}/receipt" not in page
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert (await desk.do(f"{of}/not-taken")).status_code == 409


async def test_a_colleague_who_does_not_have_the_talk_writes_nothing_down(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    call_id = await _handed_over(desk, person, driver="call")
    other = await sign_in("lisi")
    for act in ("receipt", "not-taken", "province"):
        answer = await other.do(f"/talks/{person.thread_id}/bridge/{call_id}/{act}", reference="1")
        assert answer.status_code >= 400
    assert [call.state for call in await _calls()] == ["requested"]


async def test_a_prefectures_desk_that_refused_is_followed_by_one_click(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    call_id = await _handed_over(desk, person, driver="simulator", error="refused")
    of = f"/talks/{person.thread_id}/bridge/{call_id}/province"
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert f'hx-post="{of}"' in page and "转省里的 110" in page
    assert (await desk.do(of)).status_code == 200
    assert [call.desk for call in await _calls()] == ["110@530600", "110@530000"]
    assert of not in (await desk.see(f"/talks/{person.thread_id}")).text
    assert (await desk.do(of)).status_code == 409


async def test_an_old_place_says_that_it_is_old(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await person.texts("我想问低保")
    assert (await desk.do(f"/talks/{person.thread_id}/take")).status_code == 200
    assert (await desk.do(f"/talks/{person.thread_id}/place", place="昭通市镇雄县")).status_code == 200
    assert "值班员写的" in (await desk.see(f"/talks/{person.thread_id}")).text
    assert (await desk.do(f"/talks/{person.thread_id}/close", outcome="answered", note="好了")).status_code == 200
    clock.advance(timedelta(days=100))
    desk = await sign_in("wangwu")
    await person.texts("有个叔叔一直在踹我家门 就我和弟弟在")
    page = (await desk.see(f"/talks/{person.thread_id}")).text
    assert "以前记下的，先问一句" in page and "值班员写的" not in page
