"""Jobs of conversations: judge a text, take its turn, rescue one that was forgotten."""

from __future__ import annotations

from sms_gateway.jobs import RetryAtOnce, RetryIfTransient, app

from . import forgotten, judging, turn


@app.task(name="conversations.judge", queue="danger", retry=RetryIfTransient(attempts=20))
async def judge(message_id: int) -> None:
    """Which lane, before everything; in red the safe reply. No lock: it never waits behind anything."""
    await judging.judge(message_id)


@app.task(name="conversations.take_turn", queue="turns", retry=RetryAtOnce(attempts=2))
async def take_turn(message_id: int) -> None:
    """The rest of what a text needs, in its contact's order."""
    await turn.take(message_id)


@app.task(name="conversations.rescue", queue="danger", retry=RetryIfTransient(attempts=20))
async def rescue(message_id: int) -> None:
    """A text whose own jobs are gone and which nobody answered: to a person. No lock, as for judging."""
    await forgotten.rescue(message_id)
