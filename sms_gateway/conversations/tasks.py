"""Jobs of conversations: judge a text, take its turn, rescue one that was forgotten."""

from __future__ import annotations

from sms_gateway.database import transaction
from sms_gateway.jobs import RetryAtOnce, RetryIfTransient, app, defer
from sms_gateway.messages import inbox
from sms_gateway.tickets import places

from . import (
    answering_later,
    bridging,
    calling,
    desk_news,
    drilling,
    forgotten,
    form_silence,
    judging,
    province,
    second_reporter,
    surveys,
    transferring,
    turn,
)


@app.task(name="conversations.judge", queue="danger", retry=RetryIfTransient(attempts=20))
async def judge(message_id: int) -> None:
    """Which lane, before everything; in red the safe reply. No lock: it never waits behind anything."""
    await judging.judge(message_id)


@app.task(name="conversations.take_turn", queue="turns", retry=RetryAtOnce(attempts=2))
async def take_turn(message_id: int) -> None:
    """The rest of what a text needs, in its contact's order."""
    await turn.take(message_id)


@app.task(name="conversations.end_waiting", queue="replies", retry=RetryIfTransient(attempts=20))
async def end_waiting(subject_id: int) -> None:
    """No further part of a long text came in time: its turn is due, in its contact's order."""
    async with transaction() as session:
        message = await inbox.get_message(session, subject_id)
        if message.answered_by is None:
            lock = f"contact:{message.contact_id}"
            await defer(session, "conversations.take_held_turn", lock=lock, message_id=subject_id)


@app.task(name="conversations.take_held_turn", queue="turns", retry=RetryAtOnce(attempts=2))
async def take_held_turn(message_id: int) -> None:
    """The turn of a text that has waited for more."""
    await turn.take(message_id, may_wait=False)


@app.task(name="conversations.answer_later", queue="replies", retry=RetryIfTransient(attempts=20))
async def answer_later(subject_id: int) -> None:
    """This question was put off while too much came in: its turn is due if that is over."""
    async with transaction() as session:
        await answering_later.take_up(session, subject_id)


@app.task(name="conversations.form_silence", queue="replies", retry=RetryIfTransient(attempts=8))
async def look_at_silence(subject_id: int) -> None:
    """A form's question stands unanswered: remind once by day, or let a person read."""
    async with transaction() as session:
        await form_silence.look(session, subject_id)


@app.task(name="conversations.ask_survey", queue="replies", retry=RetryIfTransient(attempts=8))
async def ask_survey(subject_id: int) -> None:
    """The follow-up of that id may be asked now."""
    async with transaction() as session:
        await surveys.ask(session, subject_id)


@app.task(name="conversations.rescue", queue="danger", retry=RetryIfTransient(attempts=20))
async def rescue(message_id: int) -> None:
    """A text whose own jobs are gone and which nobody answered: to a person. No lock, as for judging."""
    await forgotten.rescue(message_id)


@app.task(name="conversations.look_at_child", queue="danger", retry=RetryIfTransient(attempts=20))
async def look_at_child(ticket_id: int) -> None:
    """A child was recorded, linked or merged: whether somebody else has told of it too."""
    async with transaction() as session:
        await second_reporter.look(session, ticket_id)


@app.task(name="conversations.place_told", queue="replies", retry=RetryIfTransient(attempts=20))
async def place_told(thread_id: int) -> None:
    """Where it is was told, or written down: desks that have the matter hear it, and the ticket opened from this talk goes there."""
    async with transaction() as session:
        await desk_news.tell_place(session, thread_id)
    async with transaction() as session:
        await places.follow(session, thread_id=thread_id)


@app.task(name="conversations.end_drill", queue="replies", retry=RetryIfTransient(attempts=20))
async def end_drill(subject_id: int) -> None:
    """Whoever ran this drill is gone: its calls must not ring on."""
    async with transaction() as session:
        await drilling.end(session, subject_id)


@app.task(name="conversations.transfer_over", queue="replies", retry=RetryIfTransient(attempts=20))
async def transfer_over(subject_id: int) -> None:
    """A talk was offered to a colleague who did not say yes in time: it stays where it is."""
    async with transaction() as session:
        await transferring.time_out(session, subject_id)


@app.task(name="conversations.person_may_join", queue="danger", retry=RetryIfTransient(attempts=8))
async def person_may_join(call_id: int) -> None:
    """The operator of a three-way call is on the line: call the person too, if they said that it is safe."""
    async with transaction() as session:
        await calling.bring_in(session, call_id)


@app.task(name="conversations.tell_desks", queue="replies", retry=RetryIfTransient(attempts=20))
async def tell_desks(subject_id: int) -> None:
    """The child of this call was seen, or it was a false alarm: desks that have the matter hear it."""
    async with transaction() as session:
        await desk_news.tell_end(session, subject_id)


@app.task(name="conversations.bridge_due", queue="danger", retry=RetryIfTransient(attempts=20))
async def bridge_due(subject_id: int) -> None:
    """Nobody answered this escalation the whole ladder long: the desk is called where the rule allows it, else suggested."""
    async with transaction() as session:
        await bridging.on_rung(session, subject_id)


@app.task(name="conversations.bridge_changed", queue="danger", retry=RetryIfTransient(attempts=20))
async def bridge_changed(call_id: int) -> None:
    """Something became of a hand-over: the talk's call moves, the duty to report is settled, a case given back is a ticket."""
    async with transaction() as session:
        await bridging.on_changed(session, call_id)
    async with transaction() as session:
        await province.on_failed(session, call_id)
    async with transaction() as session:
        await desk_news.tell_end_late(session, call_id)
