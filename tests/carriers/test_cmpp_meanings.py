"""What a gateway's words mean for a text, and which number it leaves from."""

from __future__ import annotations

import pytest

from sms_gateway.broadcasts.references import reference_of
from sms_gateway.carriers.carrier import (
    CarrierDidNotAnswer,
    CarrierIsBusy,
    CarrierRefused,
    CarrierRefusesUs,
    SendError,
)
from sms_gateway.carriers.cmpp import meanings, numbers
from sms_gateway.carriers.cmpp.answers import Accepted, NotSent, Refused, SubmitAnswer, Throttled, Unknown
from sms_gateway.messages.delivery import State


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", "delivered"), ("EXPIRED", "undelivered"), ("UNDELIV", "undelivered"), ("DELETED", "failed"), ("REJECTD", "blocked"),
        ("KEYWORD", "blocked"), ("MK:0001", "undelivered"), ("MA:0001", "blocked"), ("MA:0054", "failed"), ("IB:0008", "failed"),
        ("ACCEPTD", "sent"), ("UNKNOWN", "sent"), ("delivrd\x00", "delivered"), ("", "failed"), ("??", "failed"),
    ],
)  # fmt: skip
def test_a_reports_word_has_one_meaning_and_the_strange_ones_failed(word: str, state: str) -> None:
    assert meanings.state_of(word, {}) == state


def test_an_accounts_own_meaning_goes_first() -> None:
    assert meanings.state_of("MK:0001", {"MK:0001": "blocked"}) == "blocked"


def test_every_meaning_is_a_state_a_receipt_may_say() -> None:
    for state in meanings.STATES.values():
        assert State(state) in {State.SENT, State.DELIVERED, State.UNDELIVERED, State.BLOCKED, State.FAILED}
    assert all(0 < len(word) <= 7 and word == word.upper() for word in meanings.STATES)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Refused(13), CarrierRefused), (Refused(7), CarrierRefusesUs), (Refused(11), CarrierRefusesUs), (Refused(150), CarrierRefused),
        (Throttled(8), CarrierIsBusy), (NotSent("no_link"), CarrierIsBusy), (NotSent("login_refused"), CarrierRefusesUs),
        (NotSent("does_not_fit"), CarrierRefused), (Unknown("no_answer"), CarrierDidNotAnswer), (Unknown("link_broken"), CarrierDidNotAnswer),
    ],
)  # fmt: skip
def test_an_answer_says_whether_the_text_may_leave_again(answer: SubmitAnswer, error: type[SendError]) -> None:
    assert type(meanings.error_for(answer)) is error


def test_what_was_accepted_is_no_error() -> None:
    assert meanings.error_for(Accepted(bytes(8))) is None


def test_a_broadcasts_texts_leave_from_its_own_number_and_a_talks_from_the_bare_one() -> None:
    assert numbers.extension_of(reference_of(12_345, 6), 4) == "2345"
    assert numbers.extension_of(reference_of(7, 1), 4) == "0007"
    assert numbers.extension_of(reference_of(7, 1), 0) == ""
    assert numbers.extension_of(10**17 - 1, 4) == ""


@pytest.mark.parametrize(
    ("dest_id", "extension"),
    [("1069000000012345", "2345"), ("106900000001", None), ("106900000001x", None), ("12345", None), ("", None)],
)
def test_a_reply_says_by_its_number_what_it_answers(dest_id: str, extension: str | None) -> None:
    assert (numbers.read_extension(dest_id, "106900000001") or None) == extension


def test_numbers_are_written_as_gateways_take_them() -> None:
    assert numbers.to_gateway("+8613800000001") == "13800000001"
    assert numbers.to_gateway("+85291234567") == "85291234567"
