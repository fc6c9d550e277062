"""What a unit reads of a matter: nothing of who told it; the police get the hour in a matter of harm."""

from __future__ import annotations

from sms_gateway.database import transaction
from sms_gateway.tickets import copies, moves
from tests.api.matters import EDU, open_matter

TOLD = "我是镇雄一中语文老师 昨天下午三点 班上的小孩被他爸打 回我 13800000009"


async def test_the_copy_says_the_matter_and_not_who_told_it(database: str) -> None:
    ticket_id, _number = await open_matter(TOLD)
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        ticket.answers = {
            **(ticket.answers or {}),
            "unit": "镇雄一中语文老师",
            "reference": "5306270000123",
            "contact": "短信",
        }
        copy = await copies.reworded(session, ticket, unit=EDU)
    told = "".join(copy.values())
    assert "打" in told and copy["reference"] == "5306270000123"
    for clue in ("语文老师", "13800000009", "昨天下午三点"):
        assert clue not in told
    assert "unit" not in copy and "contact" not in copy


async def test_the_police_read_when_it_happened(database: str) -> None:
    ticket_id, _number = await open_matter(TOLD)
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        ticket.lane = "orange"
        police = await copies.reworded(session, ticket, unit="police@530627")
        others = await copies.reworded(session, ticket, unit=EDU)
    assert "下午三点" in police["what"] and "下午三点" not in others["what"]
    assert "语文老师" not in police["what"]


async def test_the_reporters_own_number_is_taken_out_however_it_is_written(database: str) -> None:
    ticket_id, _number = await open_matter("学校乱收费")
    async with transaction() as session:
        ticket = await moves.lock(session, ticket_id)
        from sms_gateway.contacts.models import Contact

        contact = await session.get_one(Contact, ticket.contact_id)
        national = contact.address.removeprefix("+86")
        ticket.answers = {"what": f"学校乱收费 打我{national[:3]} {national[3:7]} {national[7:]}"}
        copy = await copies.reworded(session, ticket)
    assert national[3:7] not in copy["what"]
