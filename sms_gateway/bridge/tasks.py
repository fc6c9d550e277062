"""Jobs of the bridge: send a request to its desk, see whether it was accepted; test calls to the posts of the duty book."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sms_gateway import jobs, logs
from sms_gateway.calls import service as calls
from sms_gateway.calls.states import STATES
from sms_gateway.carriers.carrier import SendError
from sms_gateway.carriers.registry import carrier, choose
from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient
from sms_gateway.platforms import linkage
from sms_gateway.platforms.general import DeskDidNotAnswer, DeskRefused
from sms_gateway.settings import get_settings

from . import matters, police_texts, record, service, telling, testing_posts, three_way

log = logs.get("bridge")


@jobs.app.task(name="bridge.send", queue="danger", retry=RetryIfTransient(attempts=20))
async def send(subject_id: int) -> None:
    """Driver `linkage` (and the make-believe desk): one try; while nobody accepts, the next one has its time."""
    async with transaction() as session:
        call = await service.begin_try(session, subject_id)
        if call is None:
            return
        desk, driver, reference, incident = call.desk, call.driver, call.uid.hex, call.incident
    way = linkage.way_to(get_settings(), desk, driver)
    if way is None:
        async with transaction() as session:
            await service.fail(session, await service.lock(session, subject_id), error="no_desk")
        return
    try:
        receipt = await linkage.send(way, reference=reference, desk=desk, incident=incident)
    except DeskDidNotAnswer as error:
        log.warning("desk_did_not_answer", bridge=subject_id, status=error.status)
        async with transaction() as session:
            await service.try_again(session, subject_id, error=error.status)
        return
    except DeskRefused as error:
        async with transaction() as session:
            await service.hear(session, await service.lock(session, subject_id), "refused", words=error.reason)
        return
    async with transaction() as session:
        await service.note_taken(session, await service.lock(session, subject_id), receipt)


@jobs.app.task(name="bridge.late", queue="danger", retry=RetryIfTransient(attempts=8))
async def late(subject_id: int) -> None:
    """Was it accepted in time? If not, whoever has the talk hears of it."""
    async with transaction() as session:
        if await service.call_out(session, subject_id):
            log.warning("bridge_late", bridge=subject_id)


@jobs.app.task(name="bridge.tell_desk", queue="replies", retry=RetryIfTransient(attempts=8))
async def tell_desk(subject_id: int) -> None:
    """Tell a desk what became of the matter it handed to us; while it does not answer, the next try has its time."""
    async with transaction() as session:
        status = await matters.begin_telling(session, subject_id)
    if status is None:
        return
    settings = get_settings()
    way = linkage.way_to(settings, status.desk, "linkage" if settings.bridge_live else "simulator")

    async def post(to: linkage.Way) -> None:
        await linkage.tell_status(to, name=status.name, number=status.number, ticket=status.ticket, state=status.state)

    if await _tell(way, post, what=subject_id):
        async with transaction() as session:
            await matters.note_told(session, subject_id, status.state)
        return
    async with transaction() as session:
        if not await matters.try_again(session, subject_id, status.state):
            log.error("desk_never_told", matter=subject_id)


@jobs.app.task(name="bridge.tell_incident", queue="replies", retry=RetryIfTransient(attempts=8))
async def tell_incident(subject_id: int) -> None:
    """Tell a desk the news of that event; while it does not answer, the next try has its time."""
    async with transaction() as session:
        news = await telling.begin(session, subject_id)
    if news is None:
        return
    way = linkage.way_to(get_settings(), news.desk, news.driver)

    async def post(to: linkage.Way) -> None:
        await linkage.tell_news(to, name=news.name, reference=news.reference, state=news.state, words=news.words)

    if await _tell(way, post, what=subject_id):
        async with transaction() as session:
            await telling.note_told(session, subject_id)
        return
    async with transaction() as session:
        if not await telling.try_again(session, subject_id):
            log.error("desk_never_told", news=subject_id)


async def _tell(way: linkage.Way | None, post: Callable[[linkage.Way], Awaitable[None]], *, what: int) -> bool:
    """Whether the desk is through with it: it has heard, or it will not hear of it and a machine can do no more."""
    try:
        if way is None:
            raise DeskDidNotAnswer("no_desk")
        await post(way)
    except DeskDidNotAnswer as error:
        log.warning("desk_not_told", subject=what, status=error.status)
        return False
    except DeskRefused as error:
        log.warning("desk_would_not_hear", subject=what, status=error.reason)
    return True


@jobs.app.task(name="bridge.call", queue="danger", retry=RetryIfTransient(attempts=8))
async def place_three_way(call_id: int) -> None:
    """Driver `call`: ring our own phone first; the desk's, and where that is safe the person's, follow."""
    async with transaction() as session:
        await three_way.begin(session, await record.lock(session, call_id))


@jobs.app.task(name="bridge.leg_changed", queue="danger", retry=RetryIfTransient(attempts=8))
async def leg_changed(call_id: int, number: int) -> None:
    """A leg of a three-way call came to another state (`number` of it)."""
    async with transaction() as session:
        await three_way.follow(session, await calls.get(session, call_id), STATES[number])


@jobs.app.task(name="bridge.text12110", queue="danger", retry=RetryIfTransient(attempts=police_texts.MAX_ATTEMPTS))
async def send_text12110(call_id: int) -> None:
    """Driver `text12110`: hand the text to a carrier. One that may have gone out is not sent twice."""
    async with transaction() as session:
        outgoing = await police_texts.claim(session, call_id)
    if outgoing is None:
        return
    try:
        await carrier(choose()).send(to=outgoing.to, body=outgoing.body, reference=0)
    except SendError as error:
        again = error.retryable and outgoing.attempts < police_texts.MAX_ATTEMPTS
        log.warning("text12110_failed", call=call_id, error=type(error).__name__, code=error.code)
        async with transaction() as session:
            await police_texts.note_failure(session, call_id, error.state, error.code, again=again)
        if again:
            raise
        return
    async with transaction() as session:
        await record.note(session, await record.lock(session, call_id), police_texts.SENT)


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


async def sweep_posts() -> None:
    """The month's test calls, one after the other; the post's row lock lets one process make each.

    Each minute at most (`jobs.PACE`): the lines of the duty book are for emergencies.
    """
    async with transaction() as session:
        post_id = await testing_posts.find_due(session)
        if post_id is not None:
            await testing_posts.begin(session, post_id, None)
