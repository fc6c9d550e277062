"""A three-way call from the operator's click to the end, over the make-believe exchange; and the text to 12110."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import pytest
from sqlalchemy import func, select, update

from sms_gateway import clock as clocks
from sms_gateway.bridge import service as bridge
from sms_gateway.bridge import tasks
from sms_gateway.bridge.models import BridgeCall, BridgeEvent
from sms_gateway.carriers.carrier import CarrierDidNotAnswer, CarrierIsBusy
from sms_gateway.carriers.incoming import TextIn
from sms_gateway.contacts.models import Contact
from sms_gateway.conversations import desk_word, service
from sms_gateway.database import transaction
from sms_gateway.escalations.models import Escalation, EscalationEvent
from sms_gateway.messages.models import Message
from sms_gateway.operators.models import Operator
from sms_gateway.settings import get_settings
from sms_gateway.tickets import duty
from sms_gateway.tickets import service as tickets
from sms_gateway.tickets.models import DutyReport, Ticket
from sms_gateway.webhooks import accept
from sms_gateway.wording import SIGNATURE
from tests.telling import FakeCarrier, Person

from .conftest import Phones

Run = Callable[[], Awaitable[None]]
DANGER = "着火了 镇雄县泼机镇老街 快来人"
KICKED = "有个叔叔一直在踹我家门 就我和弟弟在"
CAREFUL = "有个叔叔一直在踹我家门 别打电话给我"


async def hand_over(person: Person, *, phone: str | None = "+8613800000801", driver: str = "call") -> int:
    """An operator hands the newest talk over to 110; the bridge call's id."""
    async with transaction() as session:
        operator = Operator(
            login="xiaoli",
            name="小李",
            badge="801",
            role="operator",
            created_at=clocks.now(),
            phone=phone,
            on_duty=True,
            trained=True,
        )
        session.add(operator)
        await session.flush()
        escalation = (await session.scalars(select(Escalation))).one()
        call = BridgeCall(
            escalation_id=escalation.id, thread_id=person.thread_id, service="110", desk="110@530600", driver=driver,
            state="requested", requested_at=clocks.now(), requested_by=operator.id,
            incident={"place": "镇雄县泼机镇老街12号", "what": "有人踹门", "approach": "别敲前门"},
        )  # fmt: skip
        session.add(call)
        await session.flush()
        return call.id


async def said_fine(person: Person, fine: str) -> None:
    """They chose in a form how to be reached."""
    async with transaction() as session:
        text = (await session.scalars(select(Message).where(Message.thread_id == person.thread_id).limit(1))).one()
        await tickets.open_ticket(
            session, thread_id=text.thread_id, contact_id=text.contact_id, asked_in=text.id, kind="help",
            answers={"what": "求助", "contact": fine},
        )  # fmt: skip


async def play(phones: Phones, run_jobs: Run, rounds: int = 4) -> None:
    for _ in range(rounds):
        await run_jobs()
        await phones.settle()
    await run_jobs()


async def state() -> tuple[str, str | None]:
    async with transaction() as session:
        call = (await session.scalars(select(BridgeCall))).one()
        return call.state, call.receipt or call.last_error


async def duties() -> int:
    async with transaction() as session:
        return await session.scalar(select(func.count()).select_from(DutyReport)) or 0


async def unsettled_duties() -> int:
    async with transaction() as session:
        found = await session.scalars(select(Ticket.id))
        return sum([len(await duty.list_unsettled(session, ticket_id)) for ticket_id in found.all()])


async def steps() -> list[str]:
    async with transaction() as session:
        return list(await session.scalars(select(BridgeEvent.what).order_by(BridgeEvent.id)))


async def note(person: Person, call_id: int, reference: str) -> None:
    """The operator who has the talk writes down the desk's number."""
    async with transaction() as session:
        operator = (await session.scalars(select(Operator))).one()
        await desk_word.note_receipt(
            session, thread_id=person.thread_id, operator=operator, call_id=call_id, reference=reference
        )


async def take(person: Person) -> None:
    async with transaction() as session:
        operator = (await session.scalars(select(Operator))).one()
        await service.take_over(session, thread_id=person.thread_id, operator=operator)


async def test_the_operator_presses_1_then_the_desk_is_called_and_has_it_when_its_number_is_written_down(
    person: Person, phones: Phones, run_jobs: Run
) -> None:
    await person.texts(DANGER)
    call_id = await hand_over(person)
    await tasks.place_three_way(call_id)
    await tasks.place_three_way(call_id)  # a repeated job
    await run_jobs()
    assert phones.purposes() == ["operator"]
    await phones.do(phones.ringing("operator"), "answer")
    await run_jobs()
    assert phones.purposes() == ["operator"], "a voicemail picks up too"
    await phones.do(phones.ringing("operator"), "press")
    await run_jobs()
    assert phones.purposes() == ["operator", "desk"]
    await phones.do(phones.ringing("desk"), "answer")
    await run_jobs()
    assert (await state())[0] == "requested", "a queue's recording picks up too"
    await take(person)
    with pytest.raises(desk_word.ReceiptIsNeeded):
        await note(person, call_id, "  ")
    with pytest.raises(bridge.BridgeCallNotFound):
        await note(person, call_id + 1, "警情 5301")
    await note(person, call_id, " 警情 5301 ")
    await run_jobs()
    assert await state() == ("accepted", "警情 5301")
    with pytest.raises(desk_word.HasAnEndAlready):
        await note(person, call_id, "警情 5302")
    assert "person_not_called" in await steps()
    rooms = {call["conference"] for call in phones.list()}
    assert len(rooms) == 1 and None not in rooms


async def test_the_person_joins_when_they_said_that_calling_is_fine(
    person: Person, phones: Phones, run_jobs: Run
) -> None:
    await person.texts(DANGER)
    call_id = await hand_over(person)
    await said_fine(person, "打电话")
    phones.manner = "answers"
    await tasks.place_three_way(call_id)
    await play(phones, run_jobs)
    assert sorted(phones.purposes()) == ["desk", "operator", "person"]
    await phones.do(phones.ringing("operator"), "end")
    await run_jobs()
    assert phones.ringing("desk") and phones.ringing("person")  # they go on talking
    await phones.do(phones.ringing("desk"), "end")
    await run_jobs()
    with pytest.raises(StopIteration):
        phones.ringing("person")  # nobody is left alone on the line


@pytest.mark.parametrize(
    ("text", "fine", "silent"),
    [
        (DANGER, "短信", False), (DANGER, "先别找我", False), (CAREFUL, "打电话", False), (DANGER, "打电话", True),
    ],
)  # fmt: skip
async def test_the_person_is_not_called_when_anything_speaks_against_it(
    person: Person, phones: Phones, run_jobs: Run, text: str, fine: str, silent: bool
) -> None:
    await person.texts(text)
    call_id = await hand_over(person)
    await said_fine(person, fine)
    if silent:
        async with transaction() as session:
            await session.execute(update(Contact).values(silent_at=clocks.now()))
    phones.manner = "answers"
    await tasks.place_three_way(call_id)
    await play(phones, run_jobs)
    assert sorted(phones.purposes()) == ["desk", "operator"]


@pytest.mark.parametrize(("deed", "error"), [("busy", "desk_busy"), ("no_answer", "desk_no_answer")])
async def test_a_desk_that_does_not_pick_up_turns_red_at_once(
    person: Person, phones: Phones, run_jobs: Run, deed: str, error: str
) -> None:
    await person.texts(DANGER)
    await tasks.place_three_way(await hand_over(person))
    await run_jobs()
    await phones.do(phones.ringing("operator"), "answer")
    await phones.do(phones.ringing("operator"), "press")
    await run_jobs()
    await phones.do(phones.ringing("desk"), deed)  # type: ignore[arg-type]
    await run_jobs()
    assert await state() == ("failed", error)


async def test_an_operator_who_does_not_pick_up_fails_it_and_rings_nobody_else(
    person: Person, phones: Phones, run_jobs: Run
) -> None:
    await person.texts(DANGER)
    phones.manner = "no_answer"
    await tasks.place_three_way(await hand_over(person))
    await play(phones, run_jobs)
    assert phones.purposes() == ["operator"]
    assert await state() == ("failed", "operator_no_answer")


@pytest.mark.parametrize("deed", ["end", "press"])
async def test_whoever_picks_up_for_the_operator_without_pressing_1_gets_no_desk_called(
    person: Person, phones: Phones, run_jobs: Run, deed: Literal["end", "press"]
) -> None:
    await person.texts(DANGER)
    await tasks.place_three_way(await hand_over(person))
    await run_jobs()
    await phones.do(phones.ringing("operator"), "answer")
    await run_jobs()
    await phones.do(phones.ringing("operator"), deed, key="5")
    await run_jobs()
    assert phones.purposes() == ["operator"]
    assert await state() == ("failed", "operator_not_there")


async def test_a_desks_recording_settles_nothing_and_the_alarm_comes(
    person: Person, phones: Phones, run_jobs: Run
) -> None:
    await person.texts(KICKED)
    call_id = await hand_over(person)
    await take(person)
    phones.manner = "answers"
    await tasks.place_three_way(call_id)
    await play(phones, run_jobs)
    await phones.do(phones.ringing("desk"), "end")
    await run_jobs()
    assert (await state())[0] == "requested"
    assert await unsettled_duties() == await duties() > 0
    await tasks.late(call_id)
    await run_jobs()
    async with transaction() as session:
        assert "bridge_late" in list(await session.scalars(select(EscalationEvent.what)))
    await note(person, call_id, "昭通110 接警员 0231")
    await run_jobs()
    assert await unsettled_duties() < await duties()


async def test_an_alarm_is_not_called_out_once_the_number_is_written_down(
    person: Person, phones: Phones, run_jobs: Run
) -> None:
    await person.texts(DANGER)
    call_id = await hand_over(person)
    await take(person)
    await note(person, call_id, "警情 5301")
    await tasks.late(call_id)
    assert "late" not in await steps()


async def test_a_desk_that_did_not_take_it_leaves_the_way_free_for_another_try(
    person: Person, phones: Phones, run_jobs: Run
) -> None:
    await person.texts(DANGER)
    call_id = await hand_over(person)
    await take(person)
    async with transaction() as session:
        operator = (await session.scalars(select(Operator))).one()
        await desk_word.note_not_taken(session, thread_id=person.thread_id, operator=operator, call_id=call_id)
    await run_jobs()
    assert await state() == ("failed", "not_taken")
    await note(person, call_id, "警情 5301")  # it called back after all
    assert await state() == ("accepted", "警情 5301")


async def test_without_a_phone_of_ours_nobody_is_called(person: Person, phones: Phones, run_jobs: Run) -> None:
    await person.texts(DANGER)
    await tasks.place_three_way(await hand_over(person, phone=None))
    await run_jobs()
    assert phones.purposes() == []
    assert await state() == ("failed", "no_operator_phone")


@pytest.fixture
def texts_to_police(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_BRIDGE_TEXT_12110", "true")
    get_settings.cache_clear()


async def answer(body: str = "收到，马上出警") -> None:
    await accept(TextIn("simulator", f"in-{body}", "12110870", body))


async def test_a_text_to_12110_waits_for_the_polices_answer(
    person: Person, carrier: FakeCarrier, run_jobs: Run, texts_to_police: None
) -> None:
    await person.texts(DANGER)
    call_id = await hand_over(person, driver="text12110")
    await tasks.send_text12110(call_id)
    await tasks.send_text12110(call_id)  # a repeated job
    sent = [body for to, body in carrier.sent if to == "12110870"]
    assert len(sent) == 1
    assert sent[0].startswith(f"{SIGNATURE}短信报警：镇雄县泼机镇老街12号；有人踹门；别敲前门。")
    assert (await state())[0] == "requested"
    await answer()
    assert await state() == ("accepted", "12110回复")
    async with transaction() as session:
        event = (await session.scalars(select(BridgeEvent).where(BridgeEvent.what == "answered"))).one()
        assert event.words == "收到，马上出警"
        texts = (await session.scalars(select(Message).where(Message.direction == "in"))).all()
        assert [text.body for text in texts] == [DANGER]  # the bot never answers the police


async def test_an_answer_that_may_be_for_two_accepts_neither(
    person: Person, carrier: FakeCarrier, texts_to_police: None
) -> None:
    await person.texts(DANGER)
    first = await hand_over(person, driver="text12110")
    async with transaction() as session:
        one = (await session.scalars(select(BridgeCall).where(BridgeCall.id == first))).one()
        session.add(
            BridgeCall(
                escalation_id=one.escalation_id,
                thread_id=one.thread_id,
                service="122",
                desk="122@530600",
                driver="text12110",
                state="requested",
                requested_at=clocks.now(),
                requested_by=None,
                incident={},
            )
        )
    await answer()
    async with transaction() as session:
        found = list(await session.scalars(select(BridgeCall.state)))
    assert found == ["requested", "requested"]
    assert (await steps()).count("answered") == 2


async def test_a_text_that_may_have_gone_out_is_not_sent_twice_and_one_that_did_not_is(
    person: Person, carrier: FakeCarrier, texts_to_police: None
) -> None:
    await person.texts(DANGER)
    call_id = await hand_over(person, driver="text12110")
    carrier.fails = [CarrierIsBusy("429"), CarrierDidNotAnswer("no_answer")]
    with pytest.raises(CarrierIsBusy):
        await tasks.send_text12110(call_id)
    for _ in range(3):
        await tasks.send_text12110(call_id)
    assert not [to for to, _ in carrier.sent if to.startswith("12110")]
    assert await steps() == ["sending", "again", "sending", "unknown"]
    assert (await state())[0] == "requested"


async def test_it_is_off_unless_it_is_set(person: Person, carrier: FakeCarrier) -> None:
    await person.texts(DANGER)
    await tasks.send_text12110(await hand_over(person, driver="text12110"))
    assert await state() == ("failed", "text12110_is_off")
