"""Departments get what concerns them at once, in order, once; what cannot be delivered waits, and is never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import select, update
from standardwebhooks import Webhook, WebhookVerificationError

from sms_gateway.clock import HeldClock
from sms_gateway.database import transaction
from sms_gateway.events import overview, service, subscriptions
from sms_gateway.events.models import Delivery, HotlineEvent, State, Subscription
from tests.events.conftest import EDU, Happens, facts
from tests.events.subscriber import Subscriber

ONE_TO_NINE = [f"2611000{n}" for n in range(1, 10)]


async def states(subscription_id: int) -> list[str]:
    async with transaction() as session:
        found = select(Delivery.state).where(Delivery.subscription_id == subscription_id).order_by(Delivery.position)
        return list(await session.scalars(found))


async def standing(subscription_id: int) -> overview.Standing:
    async with transaction() as session:
        return next(each for each in await overview.list_standings(session) if each.id == subscription_id)


async def test_what_happens_is_pushed_in_order_once_and_signed(subscriber, subscribe, happens, push) -> None:
    subscription, secret = await subscribe(subscriber.url)
    await happens(*ONE_TO_NINE)
    await push()
    await push()
    assert subscriber.subjects == ONE_TO_NINE
    assert set(await states(subscription)) == {State.DELIVERED}
    for got in subscriber.got:
        event = Webhook(secret).verify(got.body, got.headers)
        assert event["id"] == got.id
        assert event["specversion"] == "1.0"
        assert event["type"] == "cn.yunnan.12345.ticket.dispatched"
        assert got.headers["content-type"] == "application/cloudevents+json"
    sequences = [got.event["sequence"] for got in subscriber.got]
    assert sequences == sorted(sequences) and len(set(sequences)) == 9


async def test_a_forged_or_changed_push_is_seen(subscriber, subscribe, happens, push) -> None:
    _, secret = await subscribe(subscriber.url)
    await happens("26110001")
    await push()
    (got,) = subscriber.got
    for body, headers in (
        (got.body.replace(b"26110001", b"26110002"), got.headers),
        (got.body, {**got.headers, "webhook-id": "another"}),
        (got.body, {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 3600)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(subscriptions.new_secret_text()).verify(got.body, got.headers)


async def test_a_subscriber_that_is_down_for_an_hour_gets_everything_in_order_once(
    subscriber: Subscriber, subscribe, happens: Happens, push, clock: HeldClock
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    subscriber.answer = 503
    for number in ONE_TO_NINE:
        await happens(number)
        for _ in range(13):
            await push()
            clock.advance(timedelta(seconds=31))
    tried_in_vain = len(subscriber.got)
    assert 5 <= tried_in_vain <= 20, "the pauses grow"
    assert set(subscriber.subjects) == {ONE_TO_NINE[0]}, "nothing overtakes the first"
    assert len({got.id for got in subscriber.got}) == 1, "every try has the same id"
    now = await standing(subscription)
    assert now.waiting == 9 and now.behind >= timedelta(hours=1) and now.last_status == "503"
    subscriber.answer = 200
    clock.advance(timedelta(minutes=18))
    await push()
    assert subscriber.subjects[tried_in_vain:] == ONE_TO_NINE
    assert set(await states(subscription)) == {State.DELIVERED}
    now = await standing(subscription)
    assert (now.waiting, now.behind, now.failures, now.next_at) == (0, timedelta(), 0, None)


async def test_after_three_days_an_event_is_dead_shown_and_can_be_sent_again(
    subscriber: Subscriber, subscribe, happens: Happens, push, clock: HeldClock
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    bad = ONE_TO_NINE[0]
    subscriber.answer = lambda got: web.Response(status=500 if got.event["subject"] == bad else 202)
    await happens(*ONE_TO_NINE[:3])
    await push()
    clock.advance(timedelta(days=2, hours=23))
    await push()
    assert set(subscriber.subjects) == {bad}
    clock.advance(timedelta(hours=2))
    await push()
    await push()
    assert subscriber.subjects[-2:] == ONE_TO_NINE[1:3]
    assert await states(subscription) == [State.DEAD, State.DELIVERED, State.DELIVERED]
    async with transaction() as session:
        (letter,) = await overview.list_dead(session)
    assert (letter.subject, letter.last_status, letter.attempts) == (bad, "500", 3)

    await _replay(letter.id)
    await push()
    assert (await states(subscription))[0] == State.DEAD, "one try, and it holds nobody up"
    subscriber.answer = 200
    await _replay(letter.id)
    await happens(ONE_TO_NINE[3])
    await push()
    assert subscriber.subjects[-2:] == [bad, ONE_TO_NINE[3]]
    assert set(await states(subscription)) == {State.DELIVERED}
    with pytest.raises(service.DeliveryIsNotDead):
        await _replay(letter.id)
    with pytest.raises(service.DeliveryNotFound):
        await _replay(10**9)


async def _replay(delivery_id: int) -> None:
    async with transaction() as session:
        assert await service.replay(session, [delivery_id]) == 1


async def test_letters_sent_again_to_nobody_do_not_hold_up_what_is_new(
    subscriber: Subscriber, subscribe, happens: Happens, push
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    await happens(*ONE_TO_NINE[:3])
    await push()
    async with transaction() as session:
        await session.execute(update(Delivery).values(state=State.DEAD))
        ids = list(await session.scalars(select(Delivery.id)))
        await service.replay(session, ids)
    subscriber.hang = True
    await push()
    assert await states(subscription) == [State.DEAD] * 3
    assert len(subscriber.got) == 4, "one was tried, not three"


async def test_a_subscriber_that_hangs_is_left_after_a_while_and_others_do_not_wait_for_it(
    subscriber: Subscriber, subscribe, happens: Happens, push
) -> None:
    hanging, _ = await subscribe(subscriber.url + "/slow")
    good, _ = await subscribe(subscriber.url)
    subscriber.hang = True
    await happens("26110001")
    await push()
    assert (await standing(hanging)).last_status == "timeout"
    subscriber.hang = False
    await happens("26110002")
    async with transaction() as session:
        await session.execute(update(Subscription).where(Subscription.id == good).values(next_at=None))
    await push()
    assert await states(good) == [State.DELIVERED] * 2
    assert await states(hanging) == [State.PENDING] * 2


async def test_a_redirect_is_refused_and_never_followed(subscriber: Subscriber, subscribe, happens, push) -> None:
    subscription, _ = await subscribe(subscriber.url)
    for place in ("http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/", subscriber.url + "/elsewhere"):
        subscriber.answer = lambda got, place=place: web.Response(status=307, headers={"location": place})
        await happens("26110001")
        async with transaction() as session:
            await session.execute(update(Subscription).values(next_at=None))
        await push()
        assert (await standing(subscription)).last_status == "redirect"
    assert len(subscriber.got) == 3
    assert set(await states(subscription)) == {State.PENDING}


async def test_gone_pauses_and_going_on_loses_nothing(subscriber: Subscriber, subscribe, happens, push) -> None:
    subscription, _ = await subscribe(subscriber.url)
    subscriber.answer = 410
    await happens(*ONE_TO_NINE[:2])
    await push()
    now = await standing(subscription)
    assert (now.active, now.paused_reason, now.waiting) == (False, "gone", 2)
    subscriber.answer = 200
    await happens(ONE_TO_NINE[2])
    await push()
    assert len(subscriber.got) == 1
    async with transaction() as session:
        await subscriptions.resume(session, subscription_id=subscription)
    await push()
    assert subscriber.subjects[1:] == ONE_TO_NINE[:3]


async def test_a_pause_in_the_middle_of_a_batch_stops_it(
    subscriber: Subscriber, subscribe, happens: Happens, push, clock: HeldClock
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    await happens(*ONE_TO_NINE)

    async def pause_after_three() -> None:
        if len(subscriber.got) == 3:
            async with transaction() as session:
                await subscriptions.pause(session, subscription_id=subscription)
            clock.advance(timedelta(seconds=0.3))

    subscriber.beside = pause_after_three
    await push()
    assert len(subscriber.got) == 3
    async with transaction() as session:
        await subscriptions.resume(session, subscription_id=subscription)
    await push()
    assert subscriber.subjects == ONE_TO_NINE, "and nothing comes twice"


async def test_the_answers_body_is_stored_nowhere(subscriber: Subscriber, subscribe, happens, push) -> None:
    await subscribe(subscriber.url)
    subscriber.answer = lambda got: web.Response(status=500, text="秘密的话" * 100_000)
    await happens("26110001")
    await push()
    async with transaction() as session:
        rows = [*await session.scalars(select(Delivery)), *await session.scalars(select(Subscription))]
    assert "秘密" not in str([vars(row) for row in rows])


async def test_who_is_complained_of_by_now_gets_nothing_that_still_waits(
    subscriber: Subscriber, subscribe, happens, push
) -> None:
    subscription, _ = await subscribe(subscriber.url)
    subscriber.answer = 500
    await happens("26110001", "26110002")
    await push()
    subscriber.answer = 200
    await happens("26110001", told=facts(complained_of=frozenset({EDU}), units=frozenset()))
    async with transaction() as session:
        await subscriptions.resume(session, subscription_id=subscription)
    await push()
    assert subscriber.subjects == ["26110001", "26110002"], "the try in vain, then only the other matter"
    assert await states(subscription) == [State.WITHHELD, State.DELIVERED]
    async with transaction() as session:
        assert {each["subject"] for each in await service.list_after(session, unit=EDU, after=0)} == {"26110002"}


async def test_a_lead_body_gets_counts_of_a_sensitive_matter_and_no_number(
    subscriber: Subscriber, subscribe, happens, push
) -> None:
    await subscribe(subscriber.url, unit="fuer@530627")
    await happens("26110001", told=facts(sensitivity="sexual"))
    await happens("26110002")
    await push()
    counted, whole = (got.event for got in subscriber.got)
    assert counted["sight"] == "counts" and "subject" not in counted
    assert set(counted["data"]) == {"counted", "day"}
    assert b"26110001" not in subscriber.got[0].body
    assert counted["time"].endswith("T16:00:00Z"), "a day of Yunnan, no minute"
    assert whole["sight"] == "without_reporter" and whole["data"]["ticket"]["number"] == "26110002"
    for word in ("+8613800000009", "王某", "母亲", "小丽", "班主任"):
        assert word not in subscriber.got[1].body.decode() and word not in str(whole)


async def test_only_wanted_categories_come_and_only_from_then_on(subscriber, subscribe, happens, push) -> None:
    await happens("26110001")
    await push()
    await subscribe(subscriber.url, categories=["D20"])
    await happens("26110002", told=facts(category="D03"))
    await happens("26110003")
    await push()
    assert subscriber.subjects == ["26110003"]


async def test_an_event_is_sealed_in_the_database(happens: Happens) -> None:
    await happens("26110001")
    async with transaction() as session:
        event = (await session.scalars(select(HotlineEvent))).one()
    assert "小丽".encode() not in event.data_sealed and "1380000" not in str(event.facts)
    assert event.data["children"][0]["name"] == "小丽"
