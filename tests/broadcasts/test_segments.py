"""Choosing people over rolls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from sms_gateway.broadcasts import addresses, rolls, segments
from sms_gateway.broadcasts.roll_models import Roll, RollNumber
from sms_gateway.broadcasts.rolls import RollState
from sms_gateway.broadcasts.segments import Segment, SegmentIsWrong
from sms_gateway.database import transaction

from .making import make_operator, phone


async def make_roll(people: Iterable[tuple[int, str, str, bool]], *, state: str = RollState.READY) -> int:
    """The id of a roll with these people: number of the phone, region, group, consent."""
    listed = list(people)
    regions: dict[str, int] = {}
    for _, region, _, _ in listed:
        regions[region] = regions.get(region, 0) + 1
    async with transaction() as session:
        roll = await rolls.create(session, title="名册", created_by=None)
        roll.state, roll.taken, roll.lines, roll.regions = state, len(listed), len(listed), regions
        partition = f"CREATE TABLE {rolls.table_of(roll.id)} PARTITION OF outreach_roll_numbers"
        await session.execute(text(f"{partition} FOR VALUES IN ({roll.id})"))
        indexes, seals = addresses.seal_all([phone(number) for number, *_ in listed])
        for (_, region, group, consented), index, sealed in zip(listed, indexes, seals, strict=True):
            session.add(
                RollNumber(
                    roll_id=roll.id,
                    address_index=index,
                    address_sealed=sealed,
                    region=region,
                    group=group,
                    consented=consented,
                )
            )
        return roll.id


PEOPLE = [
    (1, "530627", "家长", True), (2, "530627", "老师", False), (3, "530602", "家长", False), (4, "530600", "", True),
    (5, "530102", "家长", True), (6, "", "老师", True),
]  # fmt: skip


async def count(segment: Segment) -> segments.Count:
    async with transaction() as session:
        return await segments.count(session, segment)


async def test_people_are_chosen_by_region_group_and_consent(database: str) -> None:
    roll = await make_roll(PEOPLE)
    for chosen, regions in (
        (Segment((roll,)), {"530627": 2, "530602": 1, "530600": 1, "530102": 1, "": 1}),
        (Segment((roll,), regions=("530627",)), {"530627": 2}),
        (Segment((roll,), regions=("530600",)), {"530627": 2, "530602": 1, "530600": 1}),
        (Segment((roll,), regions=("", "530102")), {"": 1, "530102": 1}),
        (Segment((roll,), groups=("家长",)), {"530627": 1, "530602": 1, "530102": 1}),
        (Segment((roll,), groups=("家长",), only_consented=True, regions=("530600",)), {"530627": 1}),
        (Segment(), {}),
    ):
        found = await count(chosen)
        assert (found.regions, found.total, found.exact) == (regions, sum(regions.values()), True)
        async with transaction() as session:
            assert await segments.count_exactly(session, chosen) == regions


async def test_a_number_on_two_rolls_counts_once_and_where_its_region_is_known(database: str) -> None:
    first = await make_roll([(1, "", "", False), (2, "530102", "", False)])
    second = await make_roll([(1, "530627", "", False), (2, "530627", "", False), (3, "530627", "", False)])
    assert (await count(Segment((first, second)))).regions == {"530627": 2, "530102": 1}


async def test_excluded_rolls_are_left_out(database: str) -> None:
    roll, out = await make_roll(PEOPLE), await make_roll([(1, "", "", False), (6, "", "", False), (99, "", "", False)])
    assert (await count(Segment((roll,), without=(out,)))).regions == {
        "530627": 1,
        "530602": 1,
        "530600": 1,
        "530102": 1,
    }


async def test_a_large_choice_is_told_as_at_most(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "COUNTED_AT_ONCE", 5)
    roll = await make_roll(PEOPLE)
    found = await count(Segment((roll,), regions=("530600",), only_consented=True))
    assert (found.total, found.exact) == (4, False)


async def test_a_roll_that_is_not_there_or_not_ready_is_told(database: str) -> None:
    with pytest.raises(rolls.RollNotFound):
        await count(Segment((77,)))
    roll = await make_roll([], state=RollState.IMPORTING)
    with pytest.raises(segments.RollIsNotReady):
        await count(Segment((roll,)))


async def test_segments_are_saved_under_a_name_once(database: str) -> None:
    editor = await make_operator()
    chosen = Segment((1, 2), ("530627",), ("家长",), True, (3,))
    async with transaction() as session:
        kept = await segments.save(session, title=" 镇雄家长 ", segment=chosen, created_by=editor)
        with pytest.raises(segments.TitleIsTaken):
            await segments.save(session, title="镇雄家长", segment=Segment(), created_by=editor)
        with pytest.raises(segments.SegmentHasNoTitle):
            await segments.save(session, title="", segment=Segment(), created_by=editor)
    async with transaction() as session:
        (found,) = await segments.list_saved(session)
        assert (found.title, Segment.from_data(found.chosen)) == ("镇雄家长", chosen)
        await segments.delete_saved(session, segment_id=kept.id)
        with pytest.raises(segments.SegmentNotFound):
            await segments.get_saved(session, kept.id)


@pytest.mark.parametrize(
    "data",
    [
        None, [], "x", 7, {"rolls": "1"}, {"rolls": [True]}, {"rolls": [0]}, {"rolls": [-1]}, {"rolls": [2**60]}, {"rolls": ["1"]},
        {"rolls": [1.0]}, {"rolls": [[1]]}, {"rolls": [1] * 51}, {"regions": ["530000"]}, {"regions": ["110101"]}, {"regions": ["'; --"]},
        {"regions": [None]}, {"groups": ["x" * 41]}, {"groups": ["a\x00"]}, {"groups": [{}]}, {"only_consented": 1}, {"only_consented": "true"},
        {"without": {"1": 1}}, {"sql": "1=1"}, {1: 2}, {"groups": ["\ud800"]},
    ],
)  # fmt: skip
def test_hostile_data_is_no_segment(data: object) -> None:
    with pytest.raises(SegmentIsWrong):
        Segment.from_data(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["rolls", "regions", "groups", "only_consented", "without", "x"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_data_is_a_segment_that_comes_back_or_is_refused(data: Any) -> None:
    try:
        segment = Segment.from_data(data)
    except SegmentIsWrong:
        return
    assert Segment.from_data(segment.to_data()) == segment


async def test_a_used_roll_is_not_removed(database: str) -> None:
    from .making import make_broadcast

    roll, other, free = await make_roll(PEOPLE), await make_roll([]), await make_roll([])
    await make_broadcast(status="draft", audience=Segment((roll,), without=(other,)).to_data())
    await make_broadcast(status="cancelled", audience=Segment((free,)).to_data())
    async with transaction() as session:
        for used in (roll, other):
            with pytest.raises(rolls.RollIsInUse):
                await rolls.remove(session, roll_id=used)
        await rolls.remove(session, roll_id=free)
    async with transaction() as session:
        assert {each.id for each in await rolls.list_rolls(session)} == {roll, other}
        assert isinstance(await rolls.get(session, roll), Roll)
