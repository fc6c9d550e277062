"""Jobs of the bridge: send a request to its desk, see whether it was accepted; test calls to the posts of the duty book."""

from __future__ import annotations

from sms_gateway import clock, jobs, logs
from sms_gateway.calls import service as calls
from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient

from . import testing_posts

log = logs.get("bridge")


@jobs.app.task(name="bridge.test_post", queue="danger", retry=RetryIfTransient(attempts=8))
async def test_post(subject_id: int) -> None:
    """Call that post of the duty book, by the machine's own wish."""
    async with transaction() as session:
        await testing_posts.begin(session, subject_id, None)


@jobs.app.task(name="bridge.test_call_changed", queue="danger", retry=RetryIfTransient(attempts=8))
async def test_call_changed(call_id: int, number: int) -> None:  # noqa: ARG001 - every purpose is told the same way
    """A test call was picked up, confirmed, or rang in vain."""
    async with transaction() as session:
        await testing_posts.follow(session, await calls.get(session, call_id))


EACH_SECONDS = 60.0
"""A line of the duty book is called each minute at most: the lines are for emergencies."""
_last_look = -EACH_SECONDS


async def sweep_posts() -> None:
    """The month's test calls, one after the other; the post's row lock lets one process make each."""
    global _last_look  # noqa: PLW0603 - this process's own pace
    now = clock.wall_seconds()
    if now - _last_look < EACH_SECONDS:
        return
    _last_look = now
    async with transaction() as session:
        post_id = await testing_posts.find_due(session)
        if post_id is not None:
            await testing_posts.begin(session, post_id, None)
