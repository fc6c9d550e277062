"""What operators, signatories and desks write stands in the talk as text, whatever it looks like."""

from __future__ import annotations

import html
from datetime import timedelta

from sqlalchemy import select

from sms_gateway.bridge import service as bridge
from sms_gateway.bridge.models import BridgeCall
from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from tests.telling import Person

from .conftest import Desk, SignIn
from .story import PASSWORD

KICKING = "有个叔叔一直在踹我家门 就我和弟弟在 镇雄县泼机镇"


def _nasty(where: str) -> str:
    return f"<script>alert('{where}')</script>\" onfocus=\"{where}"


def _check(page: str, *holds: str) -> None:
    """The page says each of `holds`, as text."""
    for where in holds:
        assert _nasty(where) in html.unescape(page), where
    assert "<script>alert" not in page and '" onfocus=' not in page


async def _see(desk: Desk, person: Person, *holds: str) -> None:
    for path in (f"/talks/{person.thread_id}", f"/talks/{person.thread_id}/live"):
        _check((await desk.see(path)).text, *holds)


async def _earlier(sign_in: SignIn, person: Person, clock: HeldClock, *holds: str) -> None:
    """What was written of a matter that is over is read beside the next one."""
    clock.advance(timedelta(days=2))
    desk = await sign_in("later")
    await person.texts(KICKING)
    page = await desk.do(f"/talks/{person.thread_id}/history", why="other", words="问过")
    assert page.status_code == 200
    _check(page.text, *holds)


async def test_what_is_written_while_a_desk_is_asked_is_shown_as_text(sign_in: SignIn, person: Person) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    of = f"/talks/{person.thread_id}"
    assert (await desk.do(f"{of}/take")).status_code == 200
    assert (await desk.do(f"{of}/place", place=f"昭通市镇雄县{_nasty('place')}")).status_code == 200
    assert (await desk.do(f"{of}/bridge", service="110", approach=_nasty("approach"))).status_code == 200
    await _see(desk, person, "place")  # how to come in is read at the desk only
    async with transaction() as session:
        call_id = (await session.scalars(select(BridgeCall.id))).one()
        call = await bridge.lock(session, call_id)
        await bridge.hear(session, call, "accepted", receipt="JQ1", words=_nasty("desk"))
    await person.run()
    await _see(desk, person, "desk")


async def test_what_is_written_at_the_end_is_shown_as_text(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await person.texts(KICKING)
    of = f"/talks/{person.thread_id}"
    assert (await desk.do(f"{of}/take")).status_code == 200
    assert (await desk.do(f"{of}/handed-over", unit="110", reference=_nasty("reference"))).status_code == 200
    await _see(desk, person, "reference")
    seen = {field: _nasty(field) for field in ("by", "at", "where", "tonight")}
    assert (await desk.do(f"{of}/child-seen", **seen)).status_code == 200
    await _see(desk, person, *seen)
    assert (await desk.do(f"{of}/close", outcome="safe", note=_nasty("close"))).status_code == 200
    await person.run()
    await _earlier(sign_in, person, clock, "close", "reference")


async def test_why_it_was_a_false_alarm_is_shown_as_text(sign_in: SignIn, person: Person, clock: HeldClock) -> None:
    desk = await sign_in()
    await sign_in("second", "乙")
    await person.texts(KICKING)
    of = f"/talks/{person.thread_id}"
    assert (await desk.do(f"{of}/take")).status_code == 200
    signed = {"second_login": "second", "second_password": PASSWORD}
    assert (await desk.do(f"{of}/false-alarm", note=_nasty("false"), **signed)).status_code == 200
    await person.run()
    await _earlier(sign_in, person, clock, "false")
