"""Moves of a draft, entries laid over files, what short texts say, questions of one meaning: without a database."""

from __future__ import annotations

import datetime
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from policy_faq import load_entries
from policy_faq.past_review import short_answer
from sms_gateway.handbook import draft_form
from sms_gateway.handbook.grouping import group
from sms_gateway.handbook.lifecycle import (
    DECISIONS,
    MOVES,
    DraftHasMoved,
    SecondPersonNeeded,
    State,
    check_second_person,
    move,
)  # fmt: skip
from sms_gateway.handbook.overlay import lay_over, shared_wordings
from sms_gateway.handbook.wishes import is_question, is_rejection, without_numbers

ENTRIES = load_entries()
ORPHAN = next(entry for entry in ENTRIES if entry.id == "orphan-count")


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_only_the_moves_of_the_table_are_made(old: State, new: State) -> None:
    if new in MOVES[old]:
        assert move(old, new) is new
    else:
        with pytest.raises(DraftHasMoved):
            move(old, new)


def test_nothing_is_approved_but_what_was_proposed() -> None:
    for decision in DECISIONS:
        assert [state for state in State if decision in MOVES[state]] == [State.PROPOSED]


def test_who_wrote_or_proposed_does_not_decide() -> None:
    with pytest.raises(SecondPersonNeeded):
        check_second_person(1, writers=frozenset({1, 2}))
    check_second_person(3, writers=frozenset({1, 2}))


@pytest.mark.parametrize(
    "text",
    [
        "不是这个",
        "不是这个。",
        "我问的不是这个",
        "不是问这个啊",
        "答非所问",
        "没用",
        "没有用",
        "没得用",
        "你没听懂",
        "不对",
        "没回答我的问题",
        "答错了",
    ],
)
def test_words_that_reject_an_answer_are_known(text: str) -> None:
    assert is_rejection(text)


@pytest.mark.parametrize(
    "text", ["不是这个县 是威信", "他说没用的", "没用的东西他骂我", "不对劲", "对", "有用", "", "不是", "我没有"]
)
def test_other_texts_reject_nothing(text: str) -> None:
    assert not is_rejection(text)


def test_a_question_is_told_from_a_sigh() -> None:
    assert is_question("夏令营退费找谁") and is_question("这个要咋个办") and is_question("驾照能考了吗")
    assert not is_question("唉 心情不好") and not is_question("谢谢你们")


def test_phones_and_identity_cards_are_blotted_out_and_years_and_sums_stay() -> None:
    assert without_numbers("打13800001234找我") == "打＊＊＊找我"
    assert without_numbers("530102 2012 0101 123X 是他的") == "＊＊＊ 是他的"
    assert without_numbers("2021年每月1280元") == "2021年每月1280元"


def test_an_approved_entry_takes_the_place_of_its_file_and_a_withdrawn_one_is_gone() -> None:
    newer = replace(ORPHAN, short="新的")
    laid = {entry.id: entry for entry in lay_over(ENTRIES, [newer], {"orphan-allowance"})}
    assert laid["orphan-count"].short == "新的"
    assert "orphan-allowance" not in laid and len(laid) == len(ENTRIES) - 1


def test_a_wording_that_an_approved_entry_has_is_taken_from_the_files_so_that_the_book_still_loads() -> None:
    new = replace(ORPHAN, id="asked-1", question="全新的问题？", variants=(ORPHAN.question, *ORPHAN.variants[:3]))
    laid = lay_over(ENTRIES, [new])
    wordings = [wording for entry in laid for wording in entry.wordings]
    assert len(wordings) == len(set(wordings))
    assert {wording for wording, _other in shared_wordings(new, ENTRIES)} == set(new.variants)
    gone = lay_over([ORPHAN], [replace(new, variants=ORPHAN.wordings)])
    assert [entry.id for entry in gone] == ["asked-1"]


def test_questions_that_lie_together_are_grouped_and_the_middle_one_leads() -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(3, 384))
    rows = np.concatenate(
        [centre + 0.3 * random.normal(size=(count, 384)) for centre, count in zip(centres, (5, 2, 1), strict=True)]
    )
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found = group(rows, np.zeros(384, np.float32))
    assert [sorted(places) for places in found] == [[0, 1, 2, 3, 4], [5, 6], [7]]
    sums = rows[:5] @ rows[:5].sum(axis=0)
    assert found[0][0] == int(sums.argmax())
    assert group(rows[:0], np.zeros(384, np.float32)) == []


def test_a_form_of_every_entry_in_the_repo_is_that_entry_again() -> None:
    for entry in ENTRIES:
        form = draft_form.of_entry(entry)
        assert draft_form.entry_of(form) == entry
        assert draft_form.problems_of(form) == {}, entry.id


def test_an_empty_form_names_every_field_that_is_needed() -> None:
    found = draft_form.problems_of(draft_form.blank("asked-1"))
    assert set(found) == set(draft_form.NEEDED) - {"region"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"short": "每人200元（某规定2020年）"}, "short"), ({"figures_date": "2020-13-99"}, "figures_date"),
        ({"short": "长" * 61 + "。（某规定2020年）"}, "short"), ({"topic": "nothing"}, "topic"),
        ({"sources": [{"name": "法", "kind": "law", "file": "", "article": "", "date": "2020"}]}, "sources"),
        ({"variants": "一\n二"}, "variants"), ({"question": ": - {a: [\"'"}, ""), ({"long": "（没有关"}, "long"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(changes: dict[str, object], field: str) -> None:
    found = draft_form.problems_of({**draft_form.of_entry(ORPHAN), **changes})
    assert set(found) >= ({field} if field else set())
    assert bool(found) == bool(field)


def test_typing_cannot_change_the_id_or_bring_in_control_characters() -> None:
    before = draft_form.blank("asked-7")
    form = draft_form.typed({"id": "orphan-count", "question": "a\x00b\u202ec"}, {}, before=before)
    assert form["id"] == "asked-7" and form["question"] == "abc"


def test_a_figure_past_its_review_date_is_said_with_its_day_and_the_wording_only_from_that_day_on() -> None:
    day = ORPHAN.review_date
    assert day == datetime.date(2022, 12, 31)
    assert short_answer(ORPHAN, day) == ORPHAN.short == short_answer(ORPHAN, None)
    late = short_answer(ORPHAN, day + datetime.timedelta(days=1))
    assert late.startswith(ORPHAN.short) and "最新规定为准" in late
    undated = replace(ORPHAN, short="共有9262人。（某规定2021年）")
    assert "数字截至2020年12月" in short_answer(undated, datetime.date(2026, 1, 1))
    looked_at = replace(ORPHAN, review_by=datetime.date(2030, 1, 1))
    assert short_answer(looked_at, datetime.date(2029, 1, 1)) == ORPHAN.short
