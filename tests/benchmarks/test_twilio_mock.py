"""The Messages API the sending of outreach is measured against: it takes what Twilio takes, and counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks import twilio_loops
from benchmarks.twilio_mock import Messages
from benchmarks.twilio_texts import ACCOUNT, OUR_NUMBER, TOKEN
from sms_gateway.carriers.carrier import CarrierRefused
from sms_gateway.carriers.twilio import TwilioCarrier

PHONES = [f"+86{13_800_000_000 + n}" for n in range(1, 21)]


async def test_our_driver_and_both_loops_are_taken_and_counted() -> None:
    async with twilio_loops.mock() as url:
        assert await twilio_loops.bare_loop(url, PHONES, "您好", at_once=4) > 0
        assert await twilio_loops.script_loop(url, PHONES[:5], "您好") > 0
        edge = TwilioCarrier(
            account=ACCOUNT,
            token=TOKEN,
            sender={"from_": OUR_NUMBER},
            webhook_url="http://127.0.0.1:8000",
            api_url=url,
        )
        sid = await edge.send(to="+8613800000099", body="您好", reference=1, validity=timedelta(hours=2))
        with pytest.raises(CarrierRefused):
            await edge.send(to="not a number", body="您好", reference=1)
        await edge.aclose()
        assert sid.startswith("SM")
        assert await twilio_loops.truth(url) == {"texts": 26, "numbers": 21, "twice": 5, "refused": 1}


def test_a_form_twilio_would_not_take_is_refused() -> None:
    messages = Messages()
    for body in (b"To=%2B8613800000001&Body=x", b"To=%2B8613800000001&From=%2B861&Body=x&Colour=red"):
        assert messages.answer(b"POST /2010-04-01/Accounts/" + ACCOUNT.encode() + b"/Messages.json ", body)[0] == 400
    assert messages.answer(b"GET /elsewhere ", b"")[0] == 400
