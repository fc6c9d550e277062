""" "我认识这家人": whoever said so finds nothing of that person on any route of the console. A new route is walked by itself.

Every GET is asked with every id there is, as each role that reads talks or tickets; before the recusal the same walk finds the
words, so that it can fail. Every POST that names something of the person is refused; the rest stand by name in `NAMELESS`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from sms_gateway.clock import HeldClock
from sms_gateway.console.rules import is_allowed
from sms_gateway.console.seat import TELLS_OF
from sms_gateway.conversations import recusing
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.tickets.models import Ticket
from tests.telling import FakeCarrier, Person

from .conftest import PAGE, Desk, SignIn
from .family import ASKED, NAME, PLACE, WORDS, Family, settle_in
from .test_door import _acts, _flat

READERS = {
    Role.SUPERVISOR: {
        "/", "/talks/{talk_id}", "/team", "/tickets", "/tickets/{ticket_id}", "/figures/common", "/handbook/gaps", "/handbook/drafts",
        "/handbook/drafts/{draft_id}", "/follow", "/follow/{look_back_id}", "/review", "/review/lessons", "/review/{review_id}", "/handover",
        "/audit", "/police", "/sealed", "/privacy", "/privacy/{privacy_id}",
    },
    Role.OPERATOR: {"/", "/queue/part", "/queue/rail", "/talks/{talk_id}", "/talks/{talk_id}/live", "/tickets", "/tickets/{ticket_id}", "/handover"},
    Role.QUALITY: {"/review", "/review/lessons", "/review/{review_id}"},
    Role.FOLLOWER: {"/follow", "/follow/{look_back_id}"},
    Role.EDITOR: {"/handbook/gaps", "/handbook/drafts", "/handbook/drafts/{draft_id}"},
}  # fmt: skip
"""Where each role reads of the person before it says so (at least)."""
NAMELESS = {
    "/audit/export", "/police",  # what its form names is checked in `test_police`
    "/colleagues/end-break", "/colleagues/help", "/colleagues/{operator_id}/come", "/colleagues/{operator_id}/relieve",
    "/duty-book/import", "/duty-book/posts/{post_id}/call", "/duty-book/posts/{post_id}/end", "/duty-book/posts/{post_id}/mend",
    "/duty-book/posts/{post_id}/test", "/duty-book/{region_id}/add",
    "/handbook/drafts", "/handbook/entries/{entry_id}/restore", "/handbook/entries/{entry_id}/retire", "/handbook/gaps/settle",
    "/outreach", "/outreach/check", "/outreach/{broadcast_id}/save", "/outreach/{broadcast_id}/check", "/outreach/{broadcast_id}/prepare", "/outreach/{broadcast_id}/test", "/outreach/{broadcast_id}/approve", "/outreach/{broadcast_id}/send-back", "/outreach/{broadcast_id}/start", "/outreach/{broadcast_id}/report/export", "/outreach/{broadcast_id}/pause", "/outreach/{broadcast_id}/resume", "/outreach/{broadcast_id}/next-wave", "/outreach/{broadcast_id}/cancel", "/outreach/rolls", "/outreach/rolls/{roll_id}/parts", "/outreach/rolls/{roll_id}/start", "/outreach/rolls/{roll_id}/remove", "/outreach/segments", "/outreach/segments/{segment_id}/remove", "/outreach/templates", "/outreach/templates/{template_id}", "/outreach/templates/{template_id}/state",
    "/holds/{hold_id}/ask", "/holds/{hold_id}/lift", "/holds/{hold_id}/keep",  # each asks itself whose hold it is (tests/retention)
    "/privacy",  # there a family one knows is nobody's
    "/handover/write", "/handover/{shift_id}/take", "/live/beat", "/live/duty", "/pushes/replay", "/pushes/{subscription_id}/pause",
    "/pushes/{subscription_id}/resume", "/sign-in", "/sign-in/{token}", "/sign-out", "/second-step/code", "/second-step/enrol", "/second-step/password", "/account/password", "/account/end-others", "/accounts/{operator_id}/reset-second-factor", "/tickets/export", "/tickets/search", "/work/bulk",
}  # fmt: skip
"""Acts whose address names nobody who wrote to us. Search and export show lists: they are asked below."""
NOBODYS = {
    "token": "abc", "entry_id": "a", "region_id": "530627", "post_id": "1", "operator_id": "1", "shift_id": "1", "subscription_id": "1",
    "broadcast_id": "1", "roll_id": "1", "segment_id": "1", "template_id": "1", "hold_id": "1", "request_id": "1", "opening_id": "1", "file_id": "1", "accused_id": "1", "duty_id": "1",
}  # fmt: skip
"""What an address may name that tells of nobody by itself; files, duties and who is complained of stand under their ticket."""
WITHOUT_END = {"/live/stream"}
"""Asked below: it says alarms and ids, never words."""


def _addresses(console: FastAPI, family: Family, role: Role, method: str) -> Iterator[tuple[str, str]]:
    """(route, address) of everything this role may ask."""
    for its_method, path, route in _flat(console):
        acts = _acts(route)
        if its_method != method or path in WITHOUT_END or not acts or not all(is_allowed(role, act) for act in acts):
            continue
        names = re.findall(r"\{(\w+)\}", path)
        values = [[str(one) for one in sorted(family.ids[n])] if n in family.ids else [NOBODYS[n]] for n in names]
        for chosen in itertools.product(*values):
            yield path, re.sub(r"\{\w+\}", "{}", path).format(*chosen)


async def _walk(console: FastAPI, desk: Desk, family: Family) -> dict[str, set[str]]:
    """By route, what of the person its pages hold; lists are asked whole."""
    found: dict[str, set[str]] = {}
    for path, address in _addresses(console, family, Role(desk.operator.role), "GET"):
        for whole in (address, "/tickets?show=all") if address == "/tickets" else (address,):
            page = await desk.client.get(whole, headers=PAGE, follow_redirects=True)
            assert page.status_code < 500, whole
            traces = (
                family.said() if page.status_code == 403 else family.traces()
            )  # a refusal links back to what was asked
            found.setdefault(path, set()).update(trace for trace in traces if trace in page.text)
    return {path: traces for path, traces in found.items() if traces}


async def _recuse(desk: Desk, family: Family) -> None:
    async with transaction() as session:
        await recusing.recuse(session, thread_id=family.thread_id, operator=desk.operator)


@pytest.mark.parametrize("role", READERS)
async def test_no_route_shows_anything_of_a_family_somebody_knows(
    console: FastAPI, sign_in: SignIn, person: Person, carrier: FakeCarrier, clock: HeldClock, role: Role
) -> None:
    family = await settle_in(person, carrier, clock)
    desk = await sign_in(role.value, "认识的人", role, unit="12345@530627" if role is Role.FOLLOWER else None)
    before = await _walk(console, desk, family)
    assert READERS[role] <= set(before), READERS[role] - set(before)
    await _recuse(desk, family)
    assert await _walk(console, desk, family) == {}


async def test_every_act_on_anything_of_theirs_is_refused(
    console: FastAPI, sign_in: SignIn, person: Person, carrier: FakeCarrier, clock: HeldClock
) -> None:
    family = await settle_in(person, carrier, clock)
    assert set(family.ids) == set(TELLS_OF) and all(family.ids.values())
    nameless = {
        path
        for method, path, _ in _flat(console)
        if method == "POST" and not set(re.findall(r"\{(\w+)\}", path)) & set(TELLS_OF)
    }
    assert nameless == NAMELESS, (
        "a new act: it names something that tells of a person (`seat.TELLS_OF`), or it stands in NAMELESS"
    )
    for role in READERS:
        desk = await sign_in(role.value, "认识的人", role, unit="12345@530627" if role is Role.FOLLOWER else None)
        await _recuse(desk, family)
        for path, address in _addresses(console, family, role, "POST"):
            if path in NAMELESS:
                continue
            answer = await desk.client.post(address, headers={"HX-Request": "true", "X-CSRF": desk.csrf})
            assert (answer.status_code, "认识这家人" in answer.text) == (403, True), address
            assert not any(trace in answer.text for trace in family.said()), address


async def test_search_export_and_the_live_stream_hold_nothing_of_theirs(
    console: FastAPI, sign_in: SignIn, person: Person, carrier: FakeCarrier, clock: HeldClock
) -> None:
    family = await settle_in(person, carrier, clock)
    desk = await sign_in("lead", "认识的人", Role.SUPERVISOR)

    async def shown() -> str:
        searches = [{"words": WORDS}, *({"number": number} for number in sorted(family.numbers))]
        pages = [(await desk.do("/tickets/search", **form)).text for form in searches]
        form = {"reason": "每周核对数字，交给主任", "kind": "csv", "with_words": "1", "show": "all"}
        answer = await desk.do("/tickets/export", **form)
        assert answer.status_code == 200
        pages = [
            re.sub(r'<input[^>]*value="[^"]*"[^>]*>', "", page) for page in pages
        ]  # what was asked stands in the form again
        return "".join([*pages, answer.content.decode("utf-8-sig")])

    said = await shown()
    assert WORDS not in said and all(number in said for number in family.numbers)  # no list shows words of harm
    await _recuse(desk, family)
    said = re.sub(r"<textarea.*?</textarea>|<mark>|</mark>", "", await shown(), flags=re.DOTALL)
    assert NAME not in said and PLACE not in said and ASKED not in said
    assert not any(f'href="/tickets/{one}"' in said for one in family.ids["ticket_id"])
    assert (await console.state.board.lookout.look()).of(desk.operator.id) == []  # what the stream calls out
    stream = [path for _method, path, _route in _flat(console) if path in WITHOUT_END]
    assert stream == ["/live/stream"]


async def test_a_ticket_their_words_went_into_is_shut_and_a_strangers_stays_open(
    console: FastAPI, sign_in: SignIn, person: Person, carrier: FakeCarrier, clock: HeldClock
) -> None:
    family = await settle_in(person, carrier, clock)
    desk = await sign_in("li", "认识的人")
    await _recuse(desk, family)
    async with transaction() as session:
        mine = await session.get_one(Ticket, min(family.ids["ticket_id"]))
        stranger = max(family.ids["ticket_id"]) + 1
    assert (await desk.see(f"/tickets/{stranger}")).status_code == 200
    async with transaction() as session:
        mine = await session.get_one(Ticket, mine.id)
        mine.merged_into = stranger
    assert (await desk.see(f"/tickets/{stranger}")).status_code == 403
    assert f'href="/tickets/{stranger}"' not in (await desk.see("/tickets?show=all")).text
