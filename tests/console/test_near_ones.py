"""Self-harm in red ends only with whom the desk told; a guardian who is the harm is not offered (精神卫生法 28)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation
from sms_gateway.operators.models import Role
from sms_gateway.tickets import accused, moves
from sms_gateway.tickets.accused import AccusedFacts
from sms_gateway.tickets.models import Ticket, TicketEvent
from sms_gateway.tickets.near_ones_rules import GuardianIsTheHarm, Near, SayWhoWasTold, checked, choices
from tests.telling import Person

from . import matters
from .conftest import Desk, SignIn

JUMPS = "我站在教学楼六楼 不想活了 马上跳"
SEEN = {"by": "王警官", "at": "20:14", "where": "教学楼", "tonight": "外婆家"}


@pytest.mark.parametrize(
    ("who", "why", "harms", "said"),
    [
        (("family",), "", False, "通知：监护人或亲人"), (("services", "school"), "", True, "通知：学校、120、110"),
        (("nobody",), "本人求着别说，约了明早再谈", False, "通知：谁都没通知，因为本人求着别说，约了明早再谈"),
        ((), "", False, SayWhoWasTold), (("nobody",), " ", False, SayWhoWasTold), (("nobody", "school"), "怕", False, SayWhoWasTold),
        (("neighbour",), "", False, SayWhoWasTold), (("family",), "", True, GuardianIsTheHarm), (("family", "school"), "", True, GuardianIsTheHarm),
    ],
)  # fmt: skip
def test_each_answer_is_a_sentence_or_asked_again(
    who: tuple[str, ...], why: str, harms: bool, said: str | type[Exception]
) -> None:
    if isinstance(said, str):
        assert checked(Near(who, why), guardian_harms=harms) == said
        return
    with pytest.raises(said):
        checked(Near(who, why), guardian_harms=harms)


def test_a_guardian_who_is_the_harm_is_not_offered() -> None:
    assert "family" in dict(choices(guardian_harms=False)) and "family" not in dict(choices(guardian_harms=True))


async def _complain_of_home(ticket_id: int) -> None:
    async with transaction() as session:
        who = AccusedFacts(relation="guardian", about={"name": "爸爸"}, lives_with=True)
        await accused.add(session, ticket_id=ticket_id, version=None, facts=who, actor=matters.DESK)


async def _seen(sign_in: SignIn, person: Person) -> tuple[Desk, str]:
    desk = await sign_in()
    await person.texts(JUMPS)
    talk = f"/talks/{person.thread_id}"
    assert (await desk.do(f"{talk}/take")).status_code == 200
    assert (await desk.do(f"{talk}/handed-over", unit="110", reference="昭通110 0231")).status_code == 200
    assert (await desk.do(f"{talk}/child-seen", **SEEN)).status_code == 200
    return desk, talk


async def test_a_red_talk_of_self_harm_ends_with_whom_the_desk_told(sign_in: SignIn, person: Person) -> None:
    desk, talk = await _seen(sign_in, person)
    assert 'name="told" value="family"' in (await desk.see(talk)).text
    ending = {"outcome": "safe", "note": "外婆陪着"}
    refused = await desk.do(f"{talk}/close", **ending)
    assert refused.status_code == 422 and "通知了谁" in refused.text
    assert (await desk.do(f"{talk}/close", told=["school", "services"], **ending)).status_code == 200
    async with transaction() as session:
        call = (await session.scalars(select(Escalation))).one()
    assert call.state == "resolved" and "通知：学校、120、110" in (call.note or "")


async def test_where_the_guardian_is_the_harm_the_talk_does_not_offer_nor_take_it(
    sign_in: SignIn, person: Person
) -> None:
    desk, talk = await _seen(sign_in, person)
    async with transaction() as session:
        ticket_id = (await session.scalars(select(Ticket.id))).first()
    assert ticket_id is not None
    await _complain_of_home(ticket_id)
    assert 'value="family"' not in (await desk.see(talk)).text
    refused = await desk.do(f"{talk}/close", outcome="safe", note="外婆陪着", told=["family"])
    assert refused.status_code == 422 and "不通知他" in refused.text


async def test_a_red_ticket_of_self_harm_is_concluded_with_whom_the_desk_told(sign_in: SignIn, person: Person) -> None:
    ticket = await matters.open_matter(person, lane="red")
    lead = await sign_in("lead", "班长", Role.SUPERVISOR)
    async with transaction() as session:
        (await moves.lock(session, ticket.id)).sensitivity = "self_harm"
    page = f"/tickets/{ticket.id}"
    assert 'name="told"' in (await lead.see(page)).text
    version = await matters.version(ticket)
    ending = {"version": str(version), "words": "孩子在外婆家，医生看过"}
    assert (await lead.do(f"{page}/conclude", **ending)).status_code == 422
    assert (await lead.do(f"{page}/conclude", told="family", **ending)).status_code in (200, 204)
    async with transaction() as session:
        event = (await session.scalars(select(TicketEvent).where(TicketEvent.what == "concluded"))).one()
    assert event.why == "孩子在外婆家，医生看过（通知：监护人或亲人）"
