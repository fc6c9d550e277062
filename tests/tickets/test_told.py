"""A unit reads what happened while the matter was its own, and only words that were written to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sms_gateway.tickets.models import TicketEvent
from sms_gateway.tickets.told import told_to

EDU, CIVIL = "edu@530627", "civil@530627"
AT = datetime(2026, 11, 30, tzinfo=UTC)


def event(what: str, who: str, why: str | None = None, to: str | None = None, **detail: Any) -> TicketEvent:
    return TicketEvent(
        ticket_id=1, seq=1, what=what, who=who, at=AT, to_status=to or what, why=why, detail=detail, content_hash=b"",
        chain_hash=b"",
    )  # fmt: skip


STORY = [
    event("accepted", "assistant"),
    event("dispatched", "operator:1", "先给民政的话", unit=CIVIL, co=[]),
    event("returned", f"unit:{CIVIL}:3", "民政退单的话", unit=CIVIL, duty=EDU),
    event("ruled", "operator:2", to=None, stands=True),
    event("dispatched", "operator:2", "给教体的话", unit=EDU, co=["police@530627"]),
    event("signed_for", f"unit:{EDU}:4"),
    event("more", "person", "来信人又说的话"),
    event("told_unit", "operator:1", "转告的话"),
    event("place_set", "operator:1", "不是写给单位的话"),
    event("replied", f"unit:{EDU}:4", "教体的答复"),
    event("concluded", "operator:1", "结论"),
    event("followed_up", "system"),
    event("reworked", "operator:1", "重办的话"),
]


def test_the_unit_that_has_it_reads_its_own_part() -> None:
    read = told_to(EDU, STORY)
    assert [line.event.what for line in read] == [one.what for one in STORY[4:]]
    assert [line.words for line in read if line.words] == ["给教体的话", "转告的话", "教体的答复", "重办的话"]


def test_who_gave_it_back_reads_up_to_that_and_no_further() -> None:
    read = told_to(CIVIL, STORY)
    assert [(line.event.what, line.words) for line in read] == [
        ("dispatched", "先给民政的话"),
        ("returned", "民政退单的话"),
    ]


def test_a_helper_reads_what_the_desk_wrote_and_not_the_main_units_words() -> None:
    words = [line.words for line in told_to("police@530627", STORY) if line.words]
    assert words == ["给教体的话", "转告的话", "重办的话"]


def test_a_unit_that_never_had_it_reads_nothing() -> None:
    assert told_to("health@530627", STORY) == []
