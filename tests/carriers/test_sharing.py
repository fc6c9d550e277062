"""Carriers share texts by weight, and none stays with one that keeps failing."""

from __future__ import annotations

import random

from sms_gateway.carriers.carrier import (
    CarrierBlockedText,
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusesUs,
    SendError,
)
from sms_gateway.carriers.sharing import LEAST, LOOKED_BACK, TRIED_EVERY, Sharing

WEIGHTS = {"cmpp": 3, "cmpp2": 1}


def sharing() -> Sharing:
    return Sharing(random.Random(8))


def seen(share: Sharing, name: str, *errors: SendError | None, at: float = 0.0) -> Sharing:
    for error in errors:
        share.note(name, error, at=at)
    return share


def chosen(share: Sharing, *, at: float, times: int = 400) -> dict[str, int]:
    names = [share.choose(WEIGHTS, at=at) for _ in range(times)]
    return {name: names.count(name) for name in WEIGHTS}


def test_two_that_are_well_share_by_weight() -> None:
    found = chosen(sharing(), at=0.0, times=4000)
    assert 2.6 < found["cmpp"] / found["cmpp2"] < 3.4


def test_one_that_keeps_failing_gets_only_a_text_now_and_then() -> None:
    share = seen(sharing(), "cmpp", *[CarrierIsBusy("no_link")] * LEAST)
    found = chosen(share, at=1.0)
    assert found == {"cmpp": 1, "cmpp2": 399}
    assert chosen(share, at=1.0 + TRIED_EVERY)["cmpp"] == 1


def test_it_has_its_share_again_once_it_does_its_work() -> None:
    share = seen(sharing(), "cmpp", *[CarrierDidNotAnswer("no_answer")] * LEAST)
    seen(share, "cmpp", *[None] * (LEAST + 1), at=10.0)
    assert chosen(share, at=11.0)["cmpp"] > 200
    share = seen(sharing(), "cmpp", *[CarrierDidNotAnswer("no_answer")] * LEAST)
    assert chosen(share, at=LOOKED_BACK + 1)["cmpp"] > 200  # what was long ago says nothing of now


def test_texts_that_are_refused_for_themselves_are_not_its_fault() -> None:
    share = seen(sharing(), "cmpp", *[CarrierRefused("13"), CarrierBlockedText("KEYWORD")] * LEAST)
    assert share.is_well("cmpp", at=0.0)
    assert not seen(sharing(), "cmpp", *[CarrierRefusesUs("7")] * LEAST).is_well("cmpp", at=0.0)


def test_few_failures_say_nothing_and_where_all_fail_all_are_used() -> None:
    assert sharing().is_well("cmpp", at=0.0)
    assert seen(sharing(), "cmpp", *[CarrierIsBusy("x")] * (LEAST - 1)).is_well("cmpp", at=0.0)
    share = seen(sharing(), "cmpp", *[CarrierIsBusy("x")] * LEAST)
    seen(share, "cmpp2", *[CarrierIsBusy("x")] * LEAST)
    found = chosen(share, at=1.0)
    assert found["cmpp"] > found["cmpp2"] > 0


def test_a_text_that_waits_for_a_failing_carrier_goes_by_another() -> None:
    share = seen(sharing(), "cmpp", *[CarrierIsBusy("x")] * LEAST)
    share.choose(WEIGHTS, at=1.0)  # the one text that tries it
    assert share.standing_in("cmpp", WEIGHTS, at=1.0) == "cmpp2"
    assert share.standing_in("cmpp2", WEIGHTS, at=1.0) == "cmpp2"
    assert share.standing_in("cmpp", {"cmpp": 1}, at=1.0) == "cmpp"
    assert share.standing_in("gone", WEIGHTS, at=1.0) == "gone"
