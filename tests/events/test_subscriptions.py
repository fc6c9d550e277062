"""Subscriptions are made, paused and given new secrets at the command line; what is wrong is said in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError
from typer.testing import CliRunner, Result

from sms_gateway.commands.subscription import app
from sms_gateway.database import dispose, transaction
from sms_gateway.departments.categories import CategoryNotFound
from sms_gateway.departments.units import UnitNotFound
from sms_gateway.events import overview, service, subscriptions, targets
from sms_gateway.events.models import Subscription
from tests.events.conftest import EDU, Happens
from tests.events.subscriber import Subscriber

HOOK = "https://push.example.cn/hook"


@pytest.fixture
async def hotline(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    import asyncio

    from sms_gateway.commands import operator

    monkeypatch.setattr(operator, "adopt", lambda _: None)

    async def run(*words: str) -> Result:
        await dispose()
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))

    return run


async def test_the_secret_is_shown_once_and_signs(hotline, subscriber: Subscriber, happens: Happens, push) -> None:
    made = await hotline("add", "--unit", EDU, "--name", "镇雄教体局", "--url", subscriber.url)
    assert made.exit_code == 0, made.output
    secret = next(word for word in made.output.replace("：", " ").split() if word.startswith("whsec_"))
    listed = await hotline("list")
    assert "镇雄教体局" in listed.output and secret not in listed.output
    await happens("26110001")
    await push()
    Webhook(secret).verify(subscriber.got[0].body, subscriber.got[0].headers)
    (number,) = [line.split("\t")[0] for line in listed.output.strip().splitlines()]
    renewed = await hotline("secret", number)
    assert "whsec_" in renewed.output and secret not in renewed.output
    await happens("26110002")
    await push()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(subscriber.got[1].body, subscriber.got[1].headers)


async def test_pause_and_resume_at_the_command_line(hotline, subscriber, subscribe, happens: Happens, push) -> None:
    subscription, _ = await subscribe(subscriber.url)
    assert "已暂停" in (await hotline("pause", str(subscription))).output
    await happens("26110001")
    await push()
    assert subscriber.got == []
    assert "等着 1 条" in (await hotline("list")).output
    await hotline("resume", str(subscription))
    await push()
    assert subscriber.subjects == ["26110001"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "--unit", "edu@999999", "--name", "甲", "--url", HOOK), "行政区划"),
        (("add", "--unit", "edu", "--name", "甲", "--url", HOOK), "单位代码"),
        (("add", "--unit", EDU, "--name", "甲", "--url", "http://push.example.cn/"), "https"),
        (("add", "--unit", EDU, "--name", " ", "--url", HOOK), "名字"),
        (("pause", "99"), "没有这个订阅"),
    ],
)
async def test_what_is_wrong_is_said_in_one_sentence(hotline, words: tuple[str, ...], sentence: str) -> None:
    done = await hotline(*words)
    assert done.exit_code == 1 and sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1


async def test_bad_input_makes_no_subscription(subscribe) -> None:
    for wrong, error in (
        ({"unit": "edu@530699"}, UnitNotFound),
        ({"url": "https://10.0.0.1/"}, targets.TargetNotAllowed),
        ({"url": "https://push.example.cn/" + "x" * 500}, targets.TargetNotAllowed),
        ({"categories": ["D99"]}, CategoryNotFound),
    ):
        with pytest.raises(error):
            await subscribe(**{"url": HOOK, **wrong})
    await subscribe(HOOK)
    with pytest.raises(subscriptions.SubscriptionIsAlreadyThere):
        await subscribe(HOOK)
    async with transaction() as session:
        assert len(await overview.list_standings(session)) == 1
        assert await overview.list_standings(session, units=["civil@530627"]) == []


async def test_the_secret_is_sealed(subscribe) -> None:
    _, secret = await subscribe(HOOK)
    async with transaction() as session:
        row = (await session.scalars(select(Subscription))).one()
    assert secret.encode() not in row.secret_sealed and row.secret == secret


async def test_letters_of_a_paused_subscription_are_not_sent_again(subscriber, subscribe, happens, push) -> None:
    from sqlalchemy import update

    from sms_gateway.events.models import Delivery, State

    subscription, _ = await subscribe(subscriber.url)
    await happens("26110001")
    await push()
    async with transaction() as session:
        await session.execute(update(Delivery).values(state=State.DEAD))
        await subscriptions.pause(session, subscription_id=subscription)
    async with transaction() as session:
        (letter,) = await overview.list_dead(session, subscription_id=subscription)
        with pytest.raises(service.SubscriptionIsPaused):
            await service.replay(session, [letter.id])
