"""What happens with a text, decided without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_gateway.conversations.steps import Answers, Situation, Step, Wish, next_step

PLAIN = Situation(
    owner="assistant", lane="blue", guarded=False, silent=False, wish=Wish.NONE, answers=Answers.NOTHING,
    assistant_asked=False, wordless=False, unsure=False, asked_safety_lately=False,
)  # fmt: skip
situations = st.builds(
    Situation,
    owner=st.sampled_from(["assistant", "waiting", "operator"]),
    lane=st.sampled_from(["red", "orange", "blue"]),
    guarded=st.booleans(), silent=st.booleans(), wish=st.sampled_from(Wish), answers=st.sampled_from(Answers),
    assistant_asked=st.booleans(), wordless=st.booleans(), unsure=st.booleans(), asked_safety_lately=st.booleans(),
)  # fmt: skip


@given(situations)
def test_nothing_is_ever_said_over_a_human(now: Situation) -> None:
    if now.owner == "operator":
        assert next_step(now) in (Step.SHOW_ONLY, Step.HUSH)


@given(situations)
def test_the_assistant_is_never_asked_while_danger_waits_or_the_phone_is_silent(now: Situation) -> None:
    if now.guarded or now.silent:
        assert next_step(now) is not Step.ASK_ASSISTANT


@given(situations)
def test_a_silence_word_always_hushes(now: Situation) -> None:
    assert (next_step(now) is Step.HUSH) == (now.wish is Wish.SILENCE)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({}, Step.ASK_ASSISTANT),
        ({"wish": Wish.OPT_OUT}, Step.OPT_OUT),
        ({"wish": Wish.OPT_OUT, "lane": "orange"}, Step.OPT_OUT_QUIETLY),
        ({"wish": Wish.OPT_OUT, "lane": "red", "guarded": True}, Step.OPT_OUT_QUIETLY),
        ({"wish": Wish.HUMAN}, Step.CALL_PERSON),
        ({"wish": Wish.DIGIT}, Step.DIGIT_WITHOUT_QUESTION),
        ({"wish": Wish.DIGIT, "answers": Answers.EXPIRED}, Step.ASK_AGAIN),
        ({"wish": Wish.DIGIT, "assistant_asked": True}, Step.ASK_ASSISTANT),
        ({"wish": Wish.DIGIT, "answers": Answers.DANGER}, Step.READ_SAFETY),
        ({"answers": Answers.SURVEY}, Step.READ_MARK),
        ({"silent": True}, Step.ASK_IF_FREE_TO_TALK),
        ({"silent": True, "answers": Answers.CONVENIENT}, Step.SPEAK_AGAIN),
        ({"guarded": True}, Step.FOLLOW_UP),
        ({"guarded": True, "wish": Wish.HUMAN}, Step.FOLLOW_UP),
        ({"unsure": True}, Step.ASK_SAFETY),
        ({"unsure": True, "asked_safety_lately": True}, Step.ASK_ASSISTANT),
        ({"wordless": True}, Step.ASK_GENTLY),
        ({"wordless": True, "repeats": 1}, Step.ASK_SAFETY),
        ({"repeats": 1}, Step.SAY_ONCE_MORE),
        ({"repeats": 2}, Step.KEEP_QUIET),
        ({"repeats": 3, "guarded": True}, Step.FOLLOW_UP),
        ({"owner": "waiting", "calls_out": True}, Step.STILL_CALLING),
        ({"owner": "waiting", "wish": Wish.HUMAN, "repeats": 1}, Step.STILL_CALLING),
        ({"silent": True, "answers": Answers.CONVENIENT, "resumes_form": True}, Step.RESUME_FORM),
        ({"answers": Answers.DANGER, "resumes_form": True}, Step.RESUME_FORM),
    ],
)
def test_each_situation_has_its_step(change: dict[str, object], step: Step) -> None:
    assert next_step(replace(PLAIN, **change)) is step
