"""The parts of `make eval`: what they make of answers, and that one that breaks does not cost the others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import __main__ as evaluation
from benchmarks.quality import dialogues, duplicates, faq, intents, targets, training, vectors
from benchmarks.quality.drawing import curve_svg, place
from benchmarks.quality.findings import Bars, Curve, Heat, Part, Table, Wrong
from benchmarks.quality.report import lines, write_html
from policy_faq.calibrate import Case, Result
from policy_faq.handbook import Answer


def result(entries: tuple[str, ...], given: str | None, first: str = "one") -> Result:
    return Result(
        Case("?", entries, "kind"),
        Answer("", given, 0.7, given is None, "answer" if given else "abstain"),
        first,
    )


@dataclass
class Played:
    right: bool
    danger: bool
    id: str = "d1"
    title: str = "a talk"
    why: list[str] = field(default_factory=lambda: ["no ticket"])


def test_intents_are_asked_as_the_product_asks_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    rows = [{"text": "你好", "intent": "greet", "difficulty": "plain"}, {"text": "谢谢", "intent": "thanks"}]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    cases = intents.ask(file, lambda line: {"id": None, "intent": "greet", "confidence": 0.9 if line["e5"] else 0})
    part = intents.part({"set": cases})
    assert [(case.right, case.confidence, case.difficulty) for case in cases] == [
        (True, 0.9, "plain"),
        (False, 0.9, "-"),
    ]
    assert part.measures["intent right"] == 0.5
    assert [(wrong.truth, wrong.said, wrong.text) for wrong in part.wrong] == [("thanks", "greet", "谢谢")]


def test_a_model_that_ends_is_an_error_not_a_wrong_answer(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text(json.dumps({"text": "你好", "intent": "greet"}), encoding="utf-8")
    with pytest.raises(intents.ModelDidNotAnswer):
        intents.ask(file, lambda line: {"id": None, "error": "the assistant's model ended"})


def test_the_handbook_is_measured_apart_on_what_it_can_and_cannot_answer() -> None:
    part = faq.part({
        "set": [result(("one",), "one"), result(("one",), None), result(("two",), "one"), result((), None), result((), "one")]
    })  # fmt: skip
    assert part.measures["FAQ right"] == pytest.approx(1 / 3, abs=1e-4)
    assert part.measures["FAQ false abstention"] == pytest.approx(1 / 3, abs=1e-4)
    assert part.measures["FAQ abstains"] == 0.5
    assert len(part.wrong) == 3
    assert "FAQ abstains" not in faq.measure([result(("one",), "one")])


def test_dialogues_about_danger_have_a_measure_of_their_own() -> None:
    part = dialogues.part([Played(True, True), Played(False, True), Played(True, False), Played(True, False)])
    assert part.measures == {"dialogues right": 0.75, "danger dialogues right": 0.5}
    assert [(wrong.truth, wrong.said) for wrong in part.wrong] == [("danger", "no ticket")]


def test_dialogues_are_skipped_with_a_reason_where_there_are_none(tmp_path: Path) -> None:
    assert "is not there" in dialogues.examine([targets.FLOORS.parent / "no-such.jsonl"]).skipped


def test_a_text_that_differs_by_a_blank_or_a_mark_is_near_by_letters() -> None:
    near, far = duplicates.nearest_by_letters(["我爸 爸在打我妈妈", "几点上班"], ["今天天气好", "我爸爸在打我妈妈！"])
    assert near.other == "我爸爸在打我妈妈！"
    assert near.nearness >= duplicates.LETTERS > far.nearness


def test_nearness_of_meaning_is_what_is_left_without_what_all_have_in_common() -> None:
    middle = np.array([10.0, 0.0, 0.0], np.float32)
    there = middle + np.array([[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
    (near,) = duplicates.nearest_by_meaning(["x"], ["a", "b", "c", "d"], there[2:3], there)
    assert (near.other, near.nearness) == ("c", pytest.approx(1.0))


def test_training_texts_come_from_every_model_and_only_once() -> None:
    found = training.training_texts()
    assert len(found) == len(set(found)) > 15_000


def test_a_development_text_that_is_trained_on_counts_in_no_column_without_copies() -> None:
    known = training.training_texts()[0]
    cases = [intents.Case(known, "greet", "plain", "greet", 0.9), intents.Case("q7", "thanks", "plain", "greet", 0.9)]
    found = intents.part({"set": cases}, training.Copies()).by_set
    assert found["set"]["intent right"] == 0.5
    assert found["without copies"]["intent right"] == 0.0


def test_vectors_are_kept_and_not_made_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vectors.vectors(["你好", "有人打我", "你好"], place=tmp_path)
    monkeypatch.setattr(vectors, "_embed_all", lambda *_: pytest.fail("embedded again"))
    assert np.array_equal(vectors.vectors(["有人打我", "你好"], place=tmp_path), first[[1, 0]])


def test_vectors_of_another_model_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors.vectors(["你好"], place=tmp_path)
    before = vectors.fingerprint("product")
    vectors.fingerprint.cache_clear()
    monkeypatch.setitem(vectors.ENGINES, "product", lambda text: np.full(384, len(text), np.float32))
    try:
        assert vectors.fingerprint("product") != before
        assert vectors.vectors(["你好"], place=tmp_path)[0, 0] == 2
    finally:
        vectors.fingerprint.cache_clear()


def test_floors_name_measures_that_exist() -> None:
    assert set(targets.read_floors()) == {target.name for target in targets.TARGETS}


def test_a_floor_of_no_measure_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "floors.json"
    file.write_text('{"emergency recal": 0.9}', encoding="utf-8")
    with pytest.raises(targets.FloorsAreWrong, match="emergency recal"):
        targets.read_floors(file)


def test_new_floors_lie_just_below_what_was_measured_and_old_ones_stay() -> None:
    measured = {"emergency recall": 0.98, "FAQ false abstention": 0.02, "danger dialogues right": 1.0}
    floors = targets.just_below(measured, {"lane": 0.9, "emergency recall": 0.5})
    assert floors == {
        "emergency recall": 0.97,
        "lane": 0.9,
        "FAQ false abstention": 0.03,
        "danger dialogues right": 1.0,
    }


def test_a_point_of_the_square_lies_where_it_should_in_the_picture() -> None:
    left, bottom = place(0, 0)
    right, top = place(1, 1)
    assert left < right and top < bottom
    assert 'points="' in curve_svg(Curve("t", "x", "y", ((0, 0), (1, 1)), (1, 4), diagonal=True))


def test_the_report_is_one_file_that_asks_for_no_other_and_escapes_texts(tmp_path: Path) -> None:
    part = Part(
        "triage", "Triage", 2, {"lane": 0.5}, {"set": {"lane": 0.5}},
        (Table("Lanes", ("", "texts"), (("red", 2),)),), (Heat("h", ("a", "b"), ((1, 0), (0, 1))),),
        (Curve("c", "x", "y", ((0.1, 0.2),)),), (Bars("b", (("a", 0.5),)),), (Wrong("red", "blue", 0.1, "<script>"),),
    )  # fmt: skip
    page = write_html([part], {"lane": 0.9}, ["lane"], tmp_path, errors=True).read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert not [word for word in ("<script", "http://", "https://", "src=", "@import", "url(") if word in page]
    assert "&lt;script&gt;" not in write_html([part], {}, [], tmp_path, errors=False).read_text(encoding="utf-8")


def test_a_line_of_the_targets_says_what_holds() -> None:
    found = {line.name: line for line in lines([Part("triage", "", 1, {"lane": 0.9})], {"lane": 0.95}, ["lane"])}
    assert (found["lane"].holds, found["lane"].under, found["lane"].own) == (True, True, 0.95)
    assert found["FAQ right"].value is None


def test_a_measure_under_its_floor_ends_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluation, "folder", lambda: tmp_path)
    monkeypatch.setattr(evaluation, "read_floors", lambda: {"lane": 0.9})
    for lane, code in ((0.89, 1), (0.91, 0)):
        part = Part("triage", "Triage", 1, {"lane": lane}, wrong=(Wrong("red", "blue", 0.1, "一条"),))
        monkeypatch.setitem(evaluation.PARTS, "triage", lambda part=part: part)
        assert evaluation.main(["--only", "triage"]) == code
        said = capsys.readouterr().out
        assert ("under its floor: lane" in said) == bool(code)
        assert "一条" not in said
    evaluation.main(["--only", "triage", "--errors"])
    assert "一条" in capsys.readouterr().out


def test_a_part_that_breaks_fails_the_run_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Part:
        raise RuntimeError("the replay ended")

    monkeypatch.setattr(evaluation, "folder", lambda: tmp_path)
    monkeypatch.setattr(evaluation, "read_floors", dict)
    monkeypatch.setitem(evaluation.PARTS, "triage", lambda: Part("triage", "Triage", 1, {"lane": 1.0}))
    monkeypatch.setitem(evaluation.PARTS, "dialogues", broken)
    assert evaluation.main(["--only", "dialogues", "--only", "triage"]) == 1
    said = capsys.readouterr().out
    assert "the replay ended" in said and "1.000" in said
