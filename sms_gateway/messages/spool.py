"""Texts that come while the database is away: kept sealed on disk, judged at once, answered if red, replayed in order.

200 is said only after the file and its folder are on the disk (`spool_files`). A safe reply is marked before it is handed over
and after, so that none is said twice: one whose fate nobody knows is looked up at the carrier when its text is replayed. When the
quota is used up ordinary texts are refused, so that the carrier brings them again; a part of it stays with danger. The clock of
everything runs from `received_at`, which the file keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import clock, logs, tracing, triage
from sms_gateway.carriers.carrier import CarrierDidNotAnswer, Found, SendError
from sms_gateway.carriers.registry import carrier
from sms_gateway.contacts.models import Channel
from sms_gateway.database import is_away, transaction
from sms_gateway.errors import HotlineError
from sms_gateway.settings import get_settings
from sms_gateway.triage.judgement import Judgement, Lane
from sms_gateway.wording import SIGNATURE, say

from . import inbox, outbox
from . import spool_files as files
from . import spool_texts as texts
from .delivery import State
from .inbox import Inbound
from .spool_texts import MB, Mark, Reply, folder

log = logs.get("spool")

LOOK_UP_WITHIN = 2.0
"""Seconds a replay waits for the carrier to say whether a safe reply left: it must ring within five."""
SEND_WITHIN = 3.0
"""Seconds for a carrier to take a safe reply; after that it is looked up, so that no text is held from the database for longer."""
ENDS_WITHIN = 2.0


class SpoolIsFull(HotlineError):
    """Neither database nor disk can take it: the carrier brings it again."""

    status_code = 503
    retryable = True
    sentence = "暂时收不下，请稍后再送。"


@dataclass(frozen=True)
class Counts:
    """Texts waiting on disk, and how many of them are danger."""

    spooled: int
    spooled_red: int


Hush = Callable[[str], bool]
"""Whether nothing must go back to a text, whatever it tells: its writer asked for silence."""
Hear = Callable[[AsyncSession, str, str], Awaitable[bool]]
"""Whether (sender, body) is no person's text and was kept elsewhere: the police's answer to a hand-over by text."""

_judging = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
"""One at a time: the first loads the model, and the gateway's own work must not wait behind ten encoders."""
_tasks: set[asyncio.Task[None]] = set()
_answered_without_disk: set[str] = set()


def counts() -> Counts:
    """For `/healthz` and the console's banner."""
    return Counts(*files.count(folder()))


def holds_of(inbound: Inbound) -> bool:
    """Whether earlier texts of the same person wait here: this one must not overtake them."""
    place = folder()
    if not files.holds_any(place):
        return False  # nearly always: this is asked with each text
    waiting = files.in_order(place, contact=texts.contact_of(inbound))
    return any(path.name not in texts.set_aside for path in waiting)


async def keep(inbound: Inbound, *, hush: Hush = lambda _body: False) -> None:
    """`take_in`, and wait until the text is judged and answered."""
    await take_in(inbound, hush=hush)
    await asyncio.gather(*_tasks)


async def take_in(inbound: Inbound, *, hush: Hush = lambda _body: False) -> None:
    """Put a text on disk; returns once it is safe there. It is judged, and answered if red, right after. Raises `SpoolIsFull`."""
    judged: Judgement | None = None
    try:
        held = await asyncio.to_thread(texts.write, inbound, red=False)
    except OSError as error:
        judged = await _judge(inbound)
        if judged.lane is not Lane.RED:
            log.error("spool_is_full", error=type(error).__name__)
            raise SpoolIsFull from None
        held = await _write_red(inbound, judged, hush)
    if held is not None:
        task = asyncio.create_task(_see_to(held, inbound, hush, judged))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


async def aclose() -> None:
    """The gateway ends: what is being judged may finish; what may not, the next gateway takes up."""
    if _tasks:
        await asyncio.wait(_tasks, timeout=ENDS_WITHIN)
    for task in list(_tasks):
        task.cancel()
    await asyncio.gather(*_tasks, return_exceptions=True)


async def care(*, hush: Hush = lambda _body: False) -> None:
    """Each second: judge what a killed gateway left unjudged, send what the carrier was too busy for, keep the reserve filled."""
    place = folder()
    waiting = await asyncio.to_thread(files.in_order, place)
    for path in waiting:
        if path.with_suffix(files.CALM).exists():
            continue
        mark = texts.read_mark(path)
        if mark is not None and mark.reply is not Reply.WAITING:
            continue
        if (held := texts.take(path)) is not None:
            inbound = texts.read(path)
            if inbound is None:
                held.release()
            else:
                await _see_to(held, inbound, hush, None)
    if not waiting:
        files.sweep_left_behind(place)
        await asyncio.to_thread(files.fill_reserve, place, int(get_settings().spool_reserved_mb * MB))


async def replay(*, hear: Hear | None = None, only: Inbound | None = None) -> int:
    """Bring what is on disk (`only` of that person) into the database, in the order it came; how many. Stops where that is away."""
    done, kept_back = 0, set()
    contact = texts.contact_of(only) if only is not None else ""
    for path in await asyncio.to_thread(files.danger_first, folder(), contact=contact):
        whose = path.name.partition("-")[0]
        if whose in kept_back:
            continue
        if (held := texts.take(path)) is None:
            if path.name not in texts.set_aside and path.exists():
                kept_back.add(whose)  # it is just being judged or brought in: those behind it wait
            continue
        try:
            if await _bring_in_file(path, hear):
                done += 1
        except Exception as error:
            if is_away(error):
                break
            texts.set_aside.add(path.name)  # it stays on disk and is counted; those behind it go on
            log.exception("spool_file_not_taken", file=path.name)
        finally:
            held.release()
    if done:
        log.info("spool_replayed", texts=done)
    return done


async def _bring_in_file(path: Path, hear: Hear | None) -> bool:
    inbound = texts.read(path)
    if inbound is None:
        texts.set_aside.add(path.name)
        return False
    with tracing.within(texts.read_trace(path)):
        mark = await _looked_up(inbound, texts.read_mark(path))
        async with transaction() as session:
            if hear is None or not await hear(session, inbound.address, inbound.body):
                await _bring_in(session, inbound, mark)
        log.info("text_brought_in")
    texts.remove(path)
    return True


async def _bring_in(session: AsyncSession, inbound: Inbound, mark: Mark | None) -> None:
    recorded = await inbox.receive(session, replace(inbound))
    if mark is None or mark.key is None or mark.reply not in (Reply.SENT, Reply.HANDING, Reply.JOINED):
        return
    if recorded is None:  # its commit had been on its way when the database went, and was done
        recorded = await inbox.find_recorded(session, inbound)
    # judged again, alarm raised, not answered again
    if not await inbox.mark_answered(session, recorded.message_id, "spool"):
        log.error("danger_answered_twice", message=recorded.message_id)
    elif mark.reply is Reply.JOINED:
        return
    await outbox.note_sent_from_spool(
        session, recorded=recorded, key=mark.key, carrier=inbound.carrier, at=mark.at or clock.now(),
        carrier_id=mark.carrier_id, state=State.SENT if mark.reply is Reply.SENT else State.UNKNOWN,
    )  # fmt: skip


async def _looked_up(inbound: Inbound, mark: Mark | None) -> Mark | None:
    """The mark, with what the carrier says of a reply that was on its way when we lost sight of it."""
    if mark is None or mark.reply is not Reply.HANDING or mark.key is None:
        return mark
    try:
        async with asyncio.timeout(LOOK_UP_WITHIN):
            found, carrier_id = await carrier(inbound.carrier).find(
                to=inbound.address,
                body=_words(mark.key),
                reference=texts.reference_of(inbound),
                since=mark.at or clock.now(),
            )
    except (SendError, TimeoutError):
        found, carrier_id = Found.CANNOT_SAY, None
    log.warning("spool_reply_looked_up", found=str(found))
    if found is Found.SENT:
        return replace(mark, reply=Reply.SENT, carrier_id=carrier_id)
    return replace(mark, reply=Reply.NONE) if found is Found.ABSENT else mark


async def _write_red(inbound: Inbound, judged: Judgement, hush: Hush) -> files.Held | None:
    """Danger, where ordinary texts find no room: the reserve is for it. Without any disk it is answered, once, and refused."""
    for _ in range(2):
        try:
            return await asyncio.to_thread(texts.write, inbound, red=True)
        except OSError:
            if not files.free_some(folder()):
                break
    if (name := texts.name_of(inbound)) not in _answered_without_disk and not hush(inbound.body):
        _answered_without_disk.add(name)
        with suppress(SendError):
            await _send(inbound, judged.reply_key)
    log.error("danger_found_no_disk")
    raise SpoolIsFull


async def _see_to(held: files.Held, inbound: Inbound, hush: Hush, judged: Judgement | None) -> None:
    """Judge a text that is on disk, answer it if red, and mark both. The file is ours meanwhile."""
    try:
        judged = judged or await _judge(inbound)
        log.warning("text_spooled", lane=str(judged.lane))
        if judged.lane is not Lane.RED:
            await _note(held.path, Mark(red=False))
            return
        key = judged.reply_key
        if key is None or inbound.channel != Channel.SMS or hush(inbound.body):
            await _note(held.path, Mark(red=True))
        elif await asyncio.to_thread(texts.is_joined, held.path, inbound, key):
            await _note(held.path, Mark(red=True, reply=Reply.JOINED, key=key))
        else:
            await _answer(held.path, inbound, key)
    except Exception as error:  # noqa: BLE001 - a mark that does not fit, words that are missing: the text is safe, and its judge answers it
        log.error("spooled_text_not_seen_to", error=type(error).__name__)
    finally:
        held.release()


async def _answer(path: Path, inbound: Inbound, key: str) -> None:
    mark = Mark(red=True, reply=Reply.HANDING, key=key, at=clock.now())
    await _note(path, mark)
    try:
        carrier_id = await _send(inbound, key)
    except SendError as error:
        log.warning("spool_reply_failed", error=type(error).__name__)
        if error.state != State.UNKNOWN:  # it surely did not leave
            await _note(path, replace(mark, reply=Reply.WAITING if error.retryable else Reply.NONE))
        return
    await _note(path, replace(mark, reply=Reply.SENT, carrier_id=carrier_id))


async def _send(inbound: Inbound, key: str | None) -> str | None:
    if key is None:
        return None
    try:
        async with asyncio.timeout(SEND_WITHIN):
            edge = carrier(inbound.carrier)
            return await edge.send(to=inbound.address, body=_words(key), reference=texts.reference_of(inbound))
    except TimeoutError:
        raise CarrierDidNotAnswer("late") from None


async def _judge(inbound: Inbound) -> Judgement:
    def judge() -> Judgement:
        return triage.load().judge(inbound.body)

    return await asyncio.get_running_loop().run_in_executor(_judging, judge)


async def _note(path: Path, mark: Mark) -> None:
    """Write the mark; one of danger into the reserve where there is no other room. Raises OSError."""
    sealed, ending = texts.seal_mark(mark), files.RED if mark.red else files.CALM
    try:
        await asyncio.to_thread(files.write_mark, path, ending, sealed)
    except OSError:
        if not mark.red or not files.free_some(path.parent):
            raise
        await asyncio.to_thread(files.write_mark, path, ending, sealed)


def _words(key: str) -> str:
    return SIGNATURE + say(key)
