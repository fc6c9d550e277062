"""A child asks for help, a neighbour reports, a teacher must report."""

from __future__ import annotations

from sms_gateway.wording import say
from tests.journeys.records import calls_for, tickets_of
from tests.telling import Person


async def _one(person: Person, text: str) -> str:
    [reply] = await person.texts(text)
    return reply


async def test_a_child_without_school_money_asks_for_help(person: Person) -> None:
    assert await _one(person, "家里没钱交学费 想求助") == say("form.noted") + say("form.help.danger")
    assert await _one(person, "2") == say("form.help.county")
    assert await _one(person, "镇雄") == say("form.help.child")
    assert await _one(person, "12岁 我自己") == say("form.help.contact")
    assert await _one(person, "1") == say("form.confirm", place="昭通市镇雄县", matter="补助的事")
    reply = await _one(person, "1")
    [ticket] = await tickets_of(person)
    assert reply == say("ticket.opened", number=ticket.number)
    assert (ticket.kind, ticket.lane, ticket.county) == ("help", "blue", "530627")
    assert (ticket.answers or {})["contact"] == "短信"


async def test_yes_somebody_is_in_danger_ends_the_form_and_rings(person: Person) -> None:
    await person.texts("家里没钱交学费 想求助")
    assert await _one(person, "1") == say("danger.noted")
    [call] = await calls_for(person)
    assert (call.lane, call.cause, call.step) == ("red", "danger", 0)
    assert (await person.talk()).owner == "waiting"


async def test_a_neighbour_reports_a_child_at_work_and_stays_unnamed(person: Person) -> None:
    assert await _one(person, "我要举报 邻居家小孩天天不上学在工地干活") == say("form.noted") + say(
        "form.report.danger"
    )
    assert await _one(person, "2") == say("form.report.county")
    assert await _one(person, "镇雄县泼机镇") == say("form.report.child")
    assert await _one(person, "10岁左右") == say("form.report.again")
    assert (await _one(person, "2")).startswith("我记的是：昭通市镇雄县")
    assert await _one(person, "1") == say("ticket.opened.safe")
    [ticket] = await tickets_of(person)
    assert (ticket.kind, ticket.lane, ticket.anonymous) == ("report", "orange", True)
    assert "工地" in (ticket.answers or {})["what"]
    [call] = await calls_for(person)
    assert (call.lane, call.step) == ("orange", -1), "read by a person, without ringing"


async def test_a_teacher_who_must_report_is_asked_the_short_form(person: Person) -> None:
    assert await _one(person, "我是老师 发现班上学生身上有伤 要报告") == say("must.report")
    assert await _one(person, "和奶奶") in (say("form.mandated.police"), say("form.mandated.what"))
    assert await _one(person, "2") == say("form.call_110") + say("form.mandated.county")  # a teacher: that they said
    assert (await _one(person, "镇雄")).startswith("我记的是：昭通市镇雄县")
    await person.texts("1")
    [ticket] = await tickets_of(person)
    assert (ticket.kind, ticket.county, ticket.lane) == ("mandated", "530627", "orange")
    assert (ticket.answers or {})["police"] == "没有"
