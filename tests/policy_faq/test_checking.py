"""What `hotline handbook check` finds."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from policy_faq import Source, load_entries
from policy_faq.checking import check_entries, read_files
from policy_faq.entry import ENTRIES as FOLDER
from policy_faq.entry import two_years_after
from policy_faq.likeness import likenesses
from policy_faq.reading_level import is_rare, reading_problems
from policy_faq.statutes import articles_in, articles_named, numeral, source_problem

ENTRIES = load_entries()
TODAY = datetime.date(2026, 11, 23)
LAW = "# 某法\n\n第一条 为了。\n\n**第二百六十二条** 拐骗。\n\n第二百六十二条之一 以暴力。\n\n引用第九十九条的规定。\n\n一、通知如下\n"


def test_chinese_numerals_are_read() -> None:
    assert [numeral(said) for said in ("十", "二十", "一百零五", "二百六十二", "一千一百八十九")] == [
        10,
        20,
        105,
        262,
        1189,
    ]


def test_only_what_begins_a_line_is_an_article_of_the_law() -> None:
    assert articles_in(LAW) == {"1", "262", "262之一", "(1)"}


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("第23条", ("23",)), ("第5、8条", ("5", "8")), ("第260、260之一条", ("260", "260之一")), ("第262条之一", ("262之一",)),
        ("第2至4条", ("2", "3", "4")), ("第23条第2款", ("23",)), ("第二十三条", ("23",)), ("一", ("(1)",)), ("一（三）", ("(1)",)),
        ("前言", None),
    ],
)  # fmt: skip
def test_articles_are_read_as_editors_write_them(said: str, means: tuple[str, ...] | None) -> None:
    assert articles_named(said) == means


def test_an_article_that_the_law_has_not_and_a_law_that_is_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "some-law.md").write_text(LAW, encoding="utf-8")
    good = Source("某法", "2020", "law", "some-law", "第262条之一")
    assert source_problem(good, tmp_path) is None
    assert source_problem(replace(good, article="第99条"), tmp_path) == ("sources.article", "some-law.md 里没有第99条")
    assert source_problem(replace(good, file="other-law"), tmp_path) == (
        "sources.file",
        "法规文件夹里没有 other-law.md",
    )
    assert source_problem(replace(good, file="../some-law"), tmp_path) is not None
    assert source_problem(replace(good, kind="excerpt", file="W12"), tmp_path) is None


def test_long_sentences_runs_without_a_pause_and_rare_characters_are_hard_to_read() -> None:
    assert reading_problems("短句。好懂，真的。（某规定2020年）") == []
    assert "有一句 61 个字" in reading_problems("一二三四五六七八九，" * 6 + "十。（某规定2020年）")[0]
    assert "没有停顿" in reading_problems("字" * 33 + "。")[0]
    assert reading_problems("按《" + "很长的名字" * 20 + "》办。") == []
    assert is_rare("亵") and not is_rare("吗") and not is_rare("a")
    assert "生僻字" in reading_problems("猥亵、瘾、黼。")[0]


def test_two_entries_that_say_the_same_are_found_once() -> None:
    random = np.random.default_rng(2)
    twin = replace(
        ENTRIES[0], id="twin", question="另一句", variants=tuple(f"{each}呢" for each in ENTRIES[0].variants)
    )
    entries = [ENTRIES[0], twin, ENTRIES[1]]
    rows = random.normal(size=(sum(len(entry.wordings) for entry in entries), 384)).astype(np.float32)
    count = len(ENTRIES[0].wordings)
    rows[count : 2 * count] = rows[:count] + 0.01
    [found] = likenesses(entries, rows)
    assert {found.first.id, found.second.id} == {ENTRIES[0].id, "twin"}


def test_every_fault_of_a_file_is_listed_not_only_the_first(tmp_path: Path) -> None:
    content = (FOLDER / "orphan-count.md").read_text(encoding="utf-8")
    broken = content.replace("region: yunnan", "region: moon").replace("topic: orphans", "topic: cheese")
    (tmp_path / "orphan-count.md").write_text(broken, encoding="utf-8")
    (tmp_path / "torn.md").write_text("---\nid: torn\n", encoding="utf-8")
    _entries, found = read_files(tmp_path)
    assert {(each.path, each.field) for each in found} == {
        ("orphan-count.md", "region"), ("orphan-count.md", "topic"), ("torn.md", "file"),
    }  # fmt: skip


def test_figures_past_their_review_date_are_a_reminder_and_no_fault() -> None:
    entry = next(entry for entry in ENTRIES if entry.id == "orphan-count")
    [note] = check_entries([entry], today=TODAY, laws=None)
    assert not note.serious and note.field == "review_by" and "2022-12-31" in note.problem
    assert check_entries([entry], today=datetime.date(2022, 1, 1), laws=None) == []
    assert two_years_after(datetime.date(2024, 2, 29)) == datetime.date(2026, 2, 28)


def test_the_command_names_file_and_field_and_ends_with_one_where_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sms_gateway.commands.handbook import app
    from sms_gateway.settings import get_settings

    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    folder = tmp_path / "entries"
    folder.mkdir()
    content = (FOLDER / "orphan-count.md").read_text(encoding="utf-8")
    (folder / "orphan-count.md").write_text(content, encoding="utf-8")
    fine = CliRunner().invoke(app, ["check", "--folder", str(folder), "--laws", str(tmp_path / "none")])
    assert fine.exit_code == 0 and "没有法规原文文件夹，条文号没有对照" in fine.output
    (folder / "orphan-count.md").write_text(content.replace("figures_date:", "colour:"), encoding="utf-8")
    wrong = CliRunner().invoke(app, ["check", "--folder", str(folder), "--laws", str(tmp_path / "none")])
    assert wrong.exit_code == 1 and "要改  orphan-count.md: colour: 不认识这个字段" in wrong.output
    get_settings.cache_clear()
