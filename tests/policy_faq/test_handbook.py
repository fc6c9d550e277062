"""How a question is answered, asked back, or honestly not answered."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from policy_faq import Handbook, HandbookError, load_entries
from policy_faq import passages as stored
from policy_faq.calibrate import ask, load_cases, measures
from policy_faq.entry_rules import SHORT_LIMIT, units
from policy_faq.handbook import ELSEWHERE, NOT_SURE, load_weights
from policy_faq.passages import book_vectors
from policy_faq.speech import levelled
from texts.embedding import embed

FLOORS = {"recall": 0.96, "abstains": 0.94}
UNSEEN_FLOORS = {"recall": 0.93, "abstains": 0.96}
CEILING = {"false_abstention": 0.03}


def test_the_development_set_is_large_and_not_copied_from_the_entries() -> None:
    cases = load_cases()
    wordings = {wording for entry in load_entries() for wording in entry.wordings}
    assert sum(bool(case.entries) for case in cases) >= 150
    assert sum(not case.entries for case in cases) >= 80
    assert not wordings & {case.text for case in cases}
    ids = {entry.id for entry in load_entries()}
    assert all(set(case.entries) <= ids for case in cases)


def test_the_development_set_is_answered_above_the_floors(handbook: Handbook) -> None:
    found = measures(ask(handbook, load_cases()))
    assert all(found[name] >= floor for name, floor in FLOORS.items()), found
    assert all(found[name] <= ceiling for name, ceiling in CEILING.items()), found


def test_texts_that_nothing_was_tuned_on_are_answered_above_the_floors(handbook: Handbook) -> None:
    found = measures(ask(handbook, load_cases(Path(__file__).parents[1] / "quality" / "faq-fresh.jsonl")))
    assert all(found[name] >= floor for name, floor in UNSEEN_FLOORS.items()), found
    assert found["false_abstention"] <= 0.05, found


@pytest.mark.parametrize("text", ["我要反映学校伙食差", "举报网吧让小孩上网", "我想投诉班主任打人", "建议多修几个公园"])
def test_a_complaint_that_asks_nothing_is_left_to_the_forms(handbook: Handbook, text: str) -> None:
    assert handbook.answer(text).abstained


def test_the_age_of_a_child_finds_the_rule_of_its_band(handbook: Handbook) -> None:
    assert levelled("六岁") == "六岁①"
    assert levelled("不满8岁") == "不满8岁①"
    assert levelled("满16岁") == "满16岁⑤"
    assert handbook.answer("四岁的娃一个人放家里行吗").entry_id == "leave-alone-under-8"
    assert handbook.answer("15岁的娃一个人住行吗").entry_id == "live-alone-under-16"


def test_an_answer_says_which_entry_and_how_sure(handbook: Handbook) -> None:
    answer = handbook.answer("低保怎么申请")
    assert (answer.kind, answer.abstained, answer.entry_id) == ("answer", False, "dibao-apply")
    assert 0.3 < answer.score <= 1
    assert answer.choices == ()


def test_the_callers_vector_is_used_as_it_is(handbook: Handbook) -> None:
    text = "猥亵儿童最少判多久"
    assert handbook.answer(text, embed(text)) == handbook.answer(text)


@pytest.mark.parametrize(
    "text",
    ["", "   ", "😀😀😀", "？？？", "\x00\x01", "今天天气怎么样", "公积金怎么提取", "我要投诉学校食堂", "a" * 20],
)
def test_what_no_entry_answers_is_honestly_not_answered(handbook: Handbook, text: str) -> None:
    answer = handbook.answer(text)
    assert answer.abstained
    assert answer.entry_id is None
    assert answer.long is None


@pytest.mark.parametrize(
    "text",
    [
        "爸爸又在打我",
        "救救我",
        "我不想活了",
        "叔叔一直踹我家门",
        "我弟弟不见了",
        "后爸摸我",
        "我吃了好多药",
        "他把我锁在屋里",
    ],
)
def test_a_cry_for_help_is_never_answered_with_policy(handbook: Handbook, text: str) -> None:
    assert handbook.answer(text).kind == "abstain"


@pytest.mark.parametrize(
    "text", ["孩子丢了要等24小时才能报警吗", "家长打孩子违法吗", "心理援助热线是多少", "校园欺凌违法吗 会被公安处罚吗"]
)
def test_a_question_with_a_dangerous_word_is_still_answered(handbook: Handbook, text: str) -> None:
    assert handbook.answer(text).kind == "answer"


@pytest.mark.parametrize("text", ["广东孤儿每个月多少钱", "贵州低保标准是多少", "上海散居孤儿补助", "湖北省有多少孤儿"])
def test_another_provinces_figures_are_not_answered_with_ours(handbook: Handbook, text: str) -> None:
    answer = handbook.answer(text)
    assert answer.abstained
    assert answer.text in (ELSEWHERE, NOT_SURE)


def test_the_honest_texts_fit_one_segment() -> None:
    assert units(NOT_SURE) <= 61
    assert units(ELSEWHERE) <= 61
    assert "0" in NOT_SURE


def test_a_clarifying_reply_names_two_questions_and_each_of_them_leads_on(handbook: Handbook) -> None:
    unsure = Handbook(handbook.entries, weights=replace(load_weights(), answer_from=0.97, clarify_from=0.0))
    answer = unsure.answer("孤儿申请补助的事情")
    assert (answer.kind, answer.abstained, answer.entry_id) == ("clarify", True, None)
    assert len(answer.choices) == 2
    for choice in answer.choices:
        asked = choice.question.rstrip("？")
        assert f"“{asked}”" in answer.text
        assert unsure.answer(asked).entry_id == choice.entry_id


def test_every_possible_clarifying_reply_fits(handbook: Handbook) -> None:
    unsure = Handbook(handbook.entries, weights=replace(load_weights(), answer_from=0.99, clarify_from=0.0))
    for entry in random.Random(7).sample(handbook.entries, 60):
        text = unsure.answer(entry.variants[0][:-1] + "嘛").text
        assert units(text) <= SHORT_LIMIT, text


def test_an_entrys_own_question_is_answered_by_it(handbook: Handbook) -> None:
    for entry in random.Random(3).sample(handbook.entries, 40):
        assert handbook.answer(entry.question).entry_id == entry.id


def test_search_gives_the_best_candidates_with_their_scores(handbook: Handbook) -> None:
    found = handbook.search("保护令多久能下来", 4)
    assert found[0].entry.id == "po-time"
    assert [candidate.score for candidate in found] == sorted((c.score for c in found), reverse=True)
    assert set(found[0].parts) == {"centre", "nearest", "answer", "body", "letters"}


def test_an_approved_entry_over_the_files_is_found_and_the_old_handbook_stays(handbook: Handbook) -> None:
    new = replace(
        handbook.entries[0],
        id="snow-day",
        question="下大雪停课怎么安排？",
        variants=tuple(f"下雪了要不要上学{n}" for n in range(8)),
        short="停课听学校通知（县教育局2026-01-05）",
    )
    assert Handbook([*handbook.entries, new]).answer("下大雪停课怎么安排").entry_id == "snow-day"
    assert handbook.entry("snow-day") is None


def test_two_entries_with_one_id_are_refused(handbook: Handbook) -> None:
    with pytest.raises(HandbookError, match="id"):
        Handbook([handbook.entries[0], handbook.entries[0]])


def test_the_shipped_vectors_are_those_of_the_entries() -> None:
    """Fails after an entry was changed: run `python -m policy_faq`."""
    from policy_faq.outside import load_outside

    kept = stored._read(stored.SHIPPED)
    texts = [wording for entry in load_entries() for wording in entry.wordings] + list(load_outside())
    assert [text for text in texts if stored._key(text) not in kept] == []


def test_vectors_are_kept_and_a_torn_file_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "SHIPPED", tmp_path / "none.npz")
    entries, cache = load_entries()[:2], tmp_path / "deep" / "passages.npz"
    first = book_vectors(entries, ["别的话"], cache)
    calls: list[str] = []
    monkeypatch.setattr(stored, "embed", lambda text: calls.append(text) or np.ones(384, dtype=np.float32))
    again = book_vectors(entries, ["别的话"], cache)
    assert calls == []
    assert np.array_equal(first.wordings, again.wordings)
    cache.write_bytes(cache.read_bytes()[:100])
    book_vectors(entries, ["别的话"], cache)
    assert len(calls) > 0
    assert [path.name for path in cache.parent.iterdir()] == ["passages.npz"]


def test_two_may_write_the_vectors_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "SHIPPED", tmp_path / "none.npz")
    monkeypatch.setattr(stored, "embed", lambda text: np.full(384, len(text), dtype=np.float32))
    cache, entries, failures = tmp_path / "passages.npz", load_entries(), []

    def write(part: int) -> None:
        try:
            for _ in range(5):
                book_vectors(entries[part : part + 3], [], cache)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(part,)) for part in (0, 3, 6, 9)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failures == []
    assert len(stored._read(cache)) > 0


def test_an_answer_costs_few_milliseconds_beyond_the_embedding(handbook: Handbook) -> None:
    vector = embed("孤儿每个月能领多少钱")
    spent = []
    for _ in range(40):
        start = time.process_time()
        handbook.answer("我想问一下孤儿每个月到底能领多少钱啊", vector)
        spent.append(time.process_time() - start)
    assert float(np.median(spent)) < 0.005


def test_a_very_long_text_is_answered_in_bounded_time(handbook: Handbook) -> None:
    vector = embed("孤儿")
    start = time.process_time()
    handbook.answer("孤儿补助怎么申请" * 1250, vector)
    assert time.process_time() - start < 0.3


def test_it_loads_quickly_when_the_vectors_are_there() -> None:
    start = time.process_time()
    Handbook.load()
    assert time.process_time() - start < 3
