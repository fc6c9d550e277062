"""Rules of outreach: who releases, what a state may become, when a text may arrive, how fast it may go, what may be written."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.broadcasts import composing, pacing, quiet_hours, recipients, waves
from sms_gateway.broadcasts.lifecycle import (
    ENDED,
    BroadcastCannotMove,
    DrafterMayNotApprove,
    SomebodyIsOutstanding,
    Status,
    check_approval,
    move,
)
from sms_gateway.broadcasts.quiet_hours import SHANGHAI, Hours
from sms_gateway.broadcasts.recipients import State, Why

DAY = Hours(time(9), time(20))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=SHANGHAI))


def test_who_wrote_any_of_it_does_not_approve_it() -> None:
    with pytest.raises(DrafterMayNotApprove):
        check_approval(approver=1, authors=frozenset({1, 2}))
    check_approval(approver=3, authors=frozenset({1, 2}))


@given(st.sampled_from(Status), st.sampled_from(Status))
def test_a_broadcast_that_has_ended_never_moves_again(old: Status, new: Status) -> None:
    if old in ENDED:
        with pytest.raises(BroadcastCannotMove):
            move(old, new)


def test_nothing_is_completed_while_somebody_has_no_result() -> None:
    with pytest.raises(SomebodyIsOutstanding):
        move(Status.RUNNING, Status.COMPLETED, outstanding=1)
    assert move(Status.RUNNING, Status.COMPLETED, outstanding=0) is Status.COMPLETED


def test_receipts_in_any_order_and_twice_end_in_the_same_state() -> None:
    told = (State.SENT, State.FAILED, State.DELIVERED, State.SENT)
    ends = set()
    for order in permutations(told):
        state = State.CLAIMED
        for one in order:
            state = recipients.after(state, one)
        ends.add(state)
    assert ends == {State.DELIVERED}


def test_who_was_left_out_stays_left_out_whatever_a_receipt_says() -> None:
    assert recipients.after(State.SUPPRESSED, State.DELIVERED) is State.SUPPRESSED


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({}, None), ({"open_case": True, "opted_out": True}, Why.OPEN_CASE), ({"silent": True}, Why.SAFE_MODE),
        ({"opted_out": True}, Why.OPTED_OUT), ({"days_since_last": 3.0}, Why.RECENT), ({"days_since_last": 8.0}, None),
    ],
)  # fmt: skip
def test_a_child_whose_phone_is_watched_and_who_said_no_gets_nothing(
    given_: dict[str, object], why: Why | None
) -> None:
    usual: dict[str, object] = {"opted_out": False, "open_case": False, "silent": False, "days_since_last": None}
    assert recipients.why_suppressed(**{**usual, **given_}, quiet_days=7) is why  # type: ignore[arg-type]  # one of several kinds of values


@given(MOMENTS)
def test_what_may_be_sent_has_arrived_before_the_quiet_begins(now: datetime) -> None:
    if quiet_hours.may_send(now, DAY):
        last = (now + quiet_hours.validity(now, DAY)).astimezone(SHANGHAI)
        assert DAY.start <= last.time() < DAY.end and last.date() == now.astimezone(SHANGHAI).date()
        assert quiet_hours.next_opening(now, DAY) == now
    else:
        with pytest.raises(ValueError, match="outside"):
            quiet_hours.validity(now, DAY)
        opening = quiet_hours.next_opening(now, DAY)
        assert now < opening <= now + timedelta(days=1) and quiet_hours.may_send(opening, DAY)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_it_is_finished_inside_the_allowed_hours_and_more_work_ends_no_sooner(now: datetime, work: timedelta) -> None:
    end = quiet_hours.finishes_at(now, work, DAY)
    assert end >= now + work
    assert DAY.start <= end.astimezone(SHANGHAI).time() < DAY.end
    assert quiet_hours.finishes_at(now, work + timedelta(minutes=5), DAY) > end


def test_at_both_ends_of_the_day() -> None:
    def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
        return datetime(2026, 6, 1, hour, minute, second, tzinfo=SHANGHAI)

    assert not quiet_hours.may_send(at(8, 59, 59), DAY)
    assert quiet_hours.may_send(at(9), DAY)
    assert quiet_hours.validity(at(9), DAY) == quiet_hours.LONGEST
    assert quiet_hours.may_send(at(19, 57, 30), DAY)
    assert not quiet_hours.may_send(at(19, 57, 31), DAY)
    assert quiet_hours.next_opening(at(20), DAY) == at(9) + timedelta(days=1)


def test_a_text_of_two_segments_goes_half_as_fast_and_some_of_the_line_stays_free() -> None:
    one = pacing.texts_per_second(carrier_segments=100, segments_each=1, free_operators=1e9, reply_share=0.001)
    two = pacing.texts_per_second(carrier_segments=100, segments_each=2, free_operators=1e9, reply_share=0.001)
    assert (one, two) == (80.0, 40.0)


def test_ten_free_operators_hold_a_fast_line_back_and_nobody_free_stops_it() -> None:
    speed = pacing.texts_per_second(carrier_segments=1000, segments_each=1, free_operators=10, reply_share=0.001)
    assert speed == pytest.approx(10 * 5 / 1200 / 0.001)
    assert pacing.texts_per_second(carrier_segments=1000, segments_each=1, free_operators=0, reply_share=0.0) == 0
    needed = pacing.operators_needed(texts=47_000_000, reply_share=0.001, hours=13 * 5.4)
    assert needed == pytest.approx(47_000 * 1200 / 5 / (13 * 5.4 * 3600))


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (pacing.Seen(), None), (pacing.Seen(longest_wait=121), pacing.Pause.WAITING),
        (pacing.Seen(longest_wait=500, danger_replies=3), pacing.Pause.DANGER),
        (pacing.Seen(sent_lately=49, failed_lately=49), None),
        (pacing.Seen(sent_lately=100, failed_lately=11), pacing.Pause.ERRORS),
        (pacing.Seen(sent_lately=0, unknown_lately=60), pacing.Pause.ERRORS), (pacing.Seen(sent_lately=300, unknown_lately=250), None),
    ],
)  # fmt: skip
def test_it_stops_by_itself_for_danger_before_all_else(seen: pacing.Seen, why: pacing.Pause | None) -> None:
    assert pacing.why_pause(seen, pacing.Limits()) is why


@given(st.dictionaries(st.sampled_from([None, "530627", "530621", "530102"]), st.integers(0, 5000)))
def test_waves_begin_small_end_with_everybody_and_ask_between(audience: dict[str | None, int]) -> None:
    plan = waves.plan(audience)
    assert plan[-1] == waves.Wave(len(plan) - 1, None, None, asks=False)
    assert all(wave.asks for wave in plan[:-1])
    assert [wave.number for wave in plan] == list(range(len(plan)))
    if sum(audience.values()) > waves.PILOT:
        assert plan[0].limit == waves.PILOT


def test_the_signature_and_the_footer_count_and_ten_segments_are_refused_with_the_number() -> None:
    made = composing.compose("六一快乐，有事找我们", signature="云南12345", longest={}, fen_per_segment=4.5)
    assert made.text == "【云南12345】六一快乐，有事找我们。本热线不要验证码、不要转账。"
    assert (made.units, made.segments, made.fen) == (len(made.text), 1, 4.5)
    with pytest.raises(composing.TextIsTooLong) as refused:
        composing.compose("长" * 640, signature="云南12345", longest={}, fen_per_segment=1)
    assert "分 10 段" in refused.value.sentence


def test_fields_are_filled_with_the_longest_value_and_unknown_ones_refused() -> None:
    made = composing.compose(
        "{county}的家长：",
        signature="云南12345",
        longest={"county": "双江拉祜族佤族布朗族傣族自治县"},
        fen_per_segment=1,
    )
    assert "双江拉祜族佤族布朗族傣族自治县的家长" in made.text
    for body in ("{name}你好", "{county", "{}", "{county.__class__}", "{0}"):
        with pytest.raises(composing.UnknownField):
            composing.compose(body, signature="云南12345", longest={}, fen_per_segment=1)


def test_links_numbers_and_emoji_are_warned_of() -> None:
    assert composing.warnings("看 https://example.cn 或打 13800000001 😀") == (
        composing.Warning.LINK, composing.Warning.PHONE_NUMBER, composing.Warning.OUTSIDE_BMP,
    )  # fmt: skip
    assert composing.warnings("打12345或110") == ()


@pytest.mark.parametrize("body", ["您反映的问题已办结", "你的工单有新进展", "关于您孩子求助的回访"])
def test_no_text_may_show_that_a_household_asked_for_help(body: str) -> None:
    with pytest.raises(composing.ShowsThatSomebodyAsked):
        composing.compose(body, signature="云南12345", longest={}, fen_per_segment=1)
