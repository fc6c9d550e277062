"""Who asks for a number's records, and what comes of it: the guardian may be the one who harms, so one sentence for all."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from sms_gateway import clock
from sms_gateway.clock import HeldClock
from sms_gateway.contacts import service as contacts
from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.operators.models import AuditRow, Recusal
from sms_gateway.retention import holds, own_file, requests
from sms_gateway.retention.blanking import GONE
from sms_gateway.retention.decision import Keeps
from sms_gateway.retention.models import SubjectRequest
from sms_gateway.retention.request_rules import SAID, WHY, Asker, Checked, Facts, Outcome, Wants, decide, needs_another
from sms_gateway.tickets import accused, children
from sms_gateway.tickets.accused import AccusedFacts
from sms_gateway.tickets.children import ChildFacts
from tests.tickets import making

from . import lives

NUMBER = "138 0000 0077"
WHO = "本人带身份证来，要看自己说过的"
PERSON = Checked.IN_PERSON
S, G, O = Asker.SUBJECT, Asker.GUARDIAN, Asker.OTHER  # noqa: E741
ACCESS, ERASURE = Wants.ACCESS, Wants.ERASURE
KNOWN = Facts(known=True)
HARM, SUSPECTED = Facts(known=True, harm=True), Facts(known=True, suspected=True)
CHILD = "阿依朵"


@pytest.mark.parametrize(
    ("asker", "checked", "wants", "facts", "outcome"),
    [
        (S, PERSON, ACCESS, KNOWN, "granted"),
        (S, PERSON, ERASURE, KNOWN, "granted"),
        (S, PERSON, ACCESS, HARM, "granted"),  # their own words, face to face, by two
        (S, PERSON, ERASURE, Facts(known=True, harm=True, keeps=Keeps.HARM), "kept"),
        (S, PERSON, ERASURE, Facts(known=True, keeps=Keeps.HOLD), "kept"),
        (S, PERSON, ERASURE, Facts(known=True, keeps=Keeps.OPEN), "kept"),
        (S, PERSON, ACCESS, Facts(known=True, keeps=Keeps.HOLD), "granted"),
        (S, Checked.PHONE, ACCESS, KNOWN, "refused"),  # the phone may be in a parent's hand
        (S, Checked.PHONE, ERASURE, KNOWN, "refused"),
        (S, Checked.NOT, ACCESS, KNOWN, "refused"),
        (S, PERSON, ACCESS, Facts(known=True, named=True), "refused"),  # who says so is complained of
        (G, PERSON, ACCESS, KNOWN, "refused"),
        (G, PERSON, ERASURE, KNOWN, "refused"),
        (G, Checked.PHONE, ERASURE, KNOWN, "refused"),
        (O, PERSON, ACCESS, KNOWN, "refused"),
        (S, PERSON, ACCESS, Facts(known=False), "nothing"),
        (G, PERSON, ACCESS, Facts(known=False), "nothing"),
        (S, PERSON, ACCESS, Facts(known=True, knows_family=True), "nothing"),
    ],
)
def test_each_case_ends_as_the_rule_says(
    asker: Asker, checked: Checked, wants: Wants, facts: Facts, outcome: str
) -> None:
    assert decide(asker, checked, wants, facts) == outcome


FACTS = st.builds(
    Facts, st.booleans(), harm=st.booleans(), suspected=st.booleans(), named=st.booleans(), knows_family=st.booleans(),
    keeps=st.one_of(st.none(), st.sampled_from(Keeps)),
)  # fmt: skip


@given(st.sampled_from(Asker), st.sampled_from(Checked), st.sampled_from(Wants), FACTS)
def test_no_guardian_no_phone_and_no_accused_gets_anything_and_nothing_kept_goes(
    asker: Asker, checked: Checked, wants: Wants, facts: Facts
) -> None:
    if decide(asker, checked, wants, facts) is not Outcome.GRANTED:
        return
    assert facts.known and not facts.named and not facts.knows_family
    assert asker is Asker.SUBJECT and checked is Checked.IN_PERSON
    assert wants is Wants.ACCESS or facts.keeps is None


@pytest.mark.parametrize(
    ("wants", "facts", "another"),
    [
        (ACCESS, KNOWN, False), (ACCESS, HARM, True), (ACCESS, SUSPECTED, True), (ERASURE, KNOWN, True), (ERASURE, HARM, True),
    ],
)  # fmt: skip
def test_a_second_supervisor_is_needed_where_it_could_harm(wants: Wants, facts: Facts, another: bool) -> None:
    assert needs_another(wants, facts) is another


def test_what_is_said_names_no_outcome() -> None:
    assert set(WHY) == set(Outcome)
    for word in ("没有查到", "查到", "没有您", "不能给", "拒绝", "不归", "删除了", "孩子来过"):
        assert word not in SAID
    assert "有没有来过" in SAID


async def _record(by: int, *, number: str = NUMBER, wants: Wants = ACCESS, asker: Asker = S, checked: Checked = PERSON, name: str = CHILD) -> SubjectRequest:  # fmt: skip
    async with transaction() as session:
        return await requests.record(
            session, number=number, wants=wants, asker=asker, checked=checked, asker_name=name, words=WHO, by=by
        )


@pytest.fixture
async def leads(database: str, clock: HeldClock) -> tuple[int, int]:
    await making.the_desk()
    one, other = await lives.supervisors("he", "zhao")
    return one, other


async def _closed_matter() -> int:
    ticket_id = await making.open_one()
    await lives.close(ticket_id)
    return ticket_id


async def test_the_very_person_gets_a_file_of_their_own_words_once(leads: tuple[int, int]) -> None:
    ticket_id = await _closed_matter()
    async with transaction() as session:
        facts = ChildFacts("530627", 9, None, {"name": CHILD})
        await children.add(session, ticket_id=ticket_id, version=None, facts=facts, actor=making.DESK)
    one = await _record(leads[0])
    assert one.outcome == "granted" and one.done_at is None
    async with transaction() as session:
        contact = await requests.hand_out(session, one.id, asker_name=CHILD, by=leads[0])
        cells = [
            str(cell)
            for batch in [rows async for rows in own_file.rows(session, contact.id)]
            for row in batch
            for cell in row
        ]
    assert "孩子在学校被欺负" in cells and not any(CHILD in cell or "138" in cell for cell in cells)
    async with transaction() as session:
        with pytest.raises(requests.RequestIsDone):
            await requests.hand_out(session, one.id, asker_name=CHILD, by=leads[0])
        rows = (await session.scalars(select(AuditRow).where(AuditRow.subject == f"request:{one.id}"))).all()
        assert [row.what for row in rows] == ["record_access", "hand_out"] and rows[0].detail == WHO


async def test_erasure_takes_words_and_number_at_once_and_leaves_what_law_keeps(
    leads: tuple[int, int], clock: HeldClock
) -> None:
    ticket_id = await _closed_matter()
    before = await lives.ticket(ticket_id)
    one = await _record(leads[0], wants=ERASURE)
    async with transaction() as session:
        with pytest.raises(requests.NeedsAnother):
            await requests.erase(session, one.id, asker_name=CHILD, by=leads[0])
        await requests.erase(session, one.id, asker_name=CHILD, by=leads[1])
    after = await lives.ticket(ticket_id)
    assert after.answers is None and (after.number, after.received_at) == (before.number, before.received_at)
    assert await lives.bodies(after.thread_id) == [GONE] and await lives.findings(ticket_id) == []
    async with transaction() as session:
        assert await contacts.find(session, channel=Channel.SMS, address="+8613800000077") is None
    opened = await lives.everything_opened()
    assert not any("被欺负" in value for value in opened.values())
    assert (await _record(leads[0])).outcome == "nothing"  # and asking again tells no more than anybody else hears


async def test_a_hold_or_an_open_matter_keeps_what_somebody_wants_erased(leads: tuple[int, int]) -> None:
    ticket_id = await making.open_one()
    assert (await _record(leads[0], wants=ERASURE)).outcome == "kept"
    await lives.close(ticket_id)
    one = await _record(leads[0], wants=ERASURE)
    assert one.outcome == "granted"
    async with transaction() as session:  # between the two signatures somebody holds it
        contact_id = (await lives.ticket(ticket_id)).contact_id
        await holds.set_hold(session, contact_id=contact_id, ticket_id=ticket_id, by=leads[1], reason="公安来函调取")
    async with transaction() as session:
        with pytest.raises(requests.RequestIsNotGranted):
            await requests.erase(session, one.id, asker_name=CHILD, by=leads[1])
    assert (await lives.ticket(ticket_id)).answers is not None
    assert (await _record(leads[0], wants=ERASURE)).outcome == "kept"


async def _complain_of(ticket_id: int, name: str, *, relation: str = "teacher", lives_with: bool | None = None) -> None:
    async with transaction() as session:
        who = AccusedFacts(relation=relation, about={"name": name}, lives_with=lives_with)
        await accused.add(session, ticket_id=ticket_id, version=None, facts=who, actor=making.DESK)


async def test_a_guardian_hears_the_same_and_gets_nothing_whoever_is_complained_of(leads: tuple[int, int]) -> None:
    ticket_id = await _closed_matter()
    async with transaction() as session:
        facts = ChildFacts("530627", 9, None, {"name": CHILD})
        await children.add(session, ticket_id=ticket_id, version=None, facts=facts, actor=making.DESK)
    for wants in Wants:  # a child of nine, nobody complained of
        assert (await _record(leads[0], asker=G, wants=wants, name="李丽")).outcome == "refused"
    await _complain_of(ticket_id, "王老师")
    assert (await _record(leads[0], asker=G, name="李丽")).outcome == "refused"


async def test_where_there_is_harm_a_second_supervisor_hands_it_out(leads: tuple[int, int]) -> None:
    ticket_id = await _closed_matter()
    await _complain_of(ticket_id, "爸爸", relation="guardian", lives_with=True)
    one = await _record(leads[0])
    assert one.outcome == "granted"
    async with transaction() as session:
        assert await requests.wants_another(session, one)
        with pytest.raises(requests.NeedsAnother):
            await requests.hand_out(session, one.id, asker_name=CHILD, by=leads[0])
        await requests.hand_out(session, one.id, asker_name=CHILD, by=leads[1])


async def test_nothing_is_recorded_without_the_name_and_it_is_kept_nowhere(leads: tuple[int, int]) -> None:
    await _closed_matter()
    for name in ("", "  ", "王", "王" * 41):
        with pytest.raises(requests.NameIsMissing):
            await _record(leads[0], name=name)
    await _record(leads[0], name="王紫金花")
    assert not any("王紫金花" in value for value in (await lives.everything_opened()).values())


@pytest.mark.parametrize("wants", Wants)
async def test_a_name_complained_of_since_gets_nothing_at_the_second_asking(
    leads: tuple[int, int], wants: Wants
) -> None:
    ticket_id = await _closed_matter()
    one = await _record(leads[0], wants=wants, name="王老师")
    assert one.outcome == "granted"
    await _complain_of(ticket_id, "王 老师")
    act = requests.hand_out if wants is ACCESS else requests.erase
    async with transaction() as session:
        with pytest.raises(requests.NameIsMissing):
            await act(session, one.id, asker_name="", by=leads[1])
        with pytest.raises(requests.RequestIsNotGranted):
            await act(session, one.id, asker_name="王老师", by=leads[1])
    assert (await _record(leads[0], name="王 老师")).outcome == "refused"


async def test_a_number_nobody_wrote_from_leaves_the_same_trace_and_is_kept_nowhere(leads: tuple[int, int]) -> None:
    one = await _record(leads[0], number="13800000099", asker=G)
    assert one.outcome == "nothing" and one.contact_id is None and one.done_at is not None
    async with transaction() as session:
        row = (await session.scalars(select(AuditRow).where(AuditRow.what == "record_access"))).one()
        assert row.subject == f"request:{one.id}"
    assert not any("0000099" in value for value in (await lives.everything_opened()).values())


async def test_a_supervisor_who_knows_the_family_finds_nothing(leads: tuple[int, int]) -> None:
    ticket_id = await _closed_matter()
    async with transaction() as session:
        contact_id = (await lives.ticket(ticket_id)).contact_id
        session.add(Recusal(operator_id=leads[0], contact_id=contact_id, at=clock.now()))
    assert (await _record(leads[0])).outcome == "nothing"
    one = await _record(leads[1])
    assert one.outcome == "granted"
    async with transaction() as session:
        with pytest.raises(requests.RequestIsNotGranted):
            await requests.hand_out(session, one.id, asker_name=CHILD, by=leads[0])


async def test_what_was_written_down_of_a_request_goes_after_three_years(
    leads: tuple[int, int], clock: HeldClock
) -> None:
    one = await _record(leads[0], number="13800000099")
    for years, words in ((2.9, WHO), (0.3, None)):
        lives.years(clock, years)
        await lives.purge()
        async with transaction() as session:
            assert (await requests.get(session, one.id)).words == words


def test_every_combination_has_an_answer() -> None:
    for asker, checked, wants, known in product(Asker, Checked, Wants, (True, False)):
        assert decide(asker, checked, wants, Facts(known=known)) in Outcome
