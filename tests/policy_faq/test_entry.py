"""What an entry file must be, and what an editor is told when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from policy_faq import HandbookError, load_entries, parse_entry
from policy_faq.entry_rules import SHORT_LIMIT, units

GOOD = {
    "id": "orphan-test",
    "question": "孤儿每个月能领多少钱？",
    "variants": [f"第{n}种问法" for n in range(8)],
    "short": "散居孤儿每人每月1280元（昭通新闻网2021-09-04，以当地民政部门最新规定为准）",
    "sources": [{"name": "昭通新闻网", "kind": "article", "date": "2021-09-04"}],
    "figures_date": __import__("datetime").date(2020, 12, 31),
    "region": "yunnan",
    "topic": "orphans",
}


def written(long: str = "长答案。", **changes: object) -> str:
    head = {**GOOD, **changes}
    head = {key: value for key, value in head.items() if value is not None}
    return f"---\n{yaml.safe_dump(head, allow_unicode=True)}---\n{long}\n"


def test_a_good_entry_is_read_whole() -> None:
    entry = parse_entry(written(), "orphan-test.md")
    assert entry.wordings[0] == GOOD["question"]
    assert len(entry.wordings) == 9
    assert entry.sources[0].date == "2021-09-04"
    assert entry.long == "长答案。"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("question", {"question": None}),
        ("short", {"short": ""}),
        ("colour", {"colour": "red"}),
        ("id", {"id": "Orphan Test"}),
        ("id", {"id": "another-name"}),
        ("question", {"question": "孤" * 31}),
        ("variants", {"variants": ["只有一种"]}),
        ("variants", {"variants": ["同一句"] * 8}),
        ("variants", {"variants": [1, 2, 3, 4, 5, 6, 7, 8]}),
        ("short", {"short": "1280元以当地民政部门最新规定为准。" + "长" * SHORT_LIMIT + "2021"}),
        ("short", {"short": "每月1280元，以当地民政部门最新规定为准"}),  # no year of the source
        ("short", {"short": "每月1280元（昭通新闻网2021-09-04）"}),  # an amount without the wording
        ("short", {"short": "每月1280元（昭通新闻网2021-09-04，以当地民政部门最新规定为准"}),  # unbalanced
        ("short", {"short": 1280}),
        ("figures_date", {"figures_date": None}),
        ("figures_date", {"figures_date": "二〇二〇年"}),
        ("sources", {"sources": []}),
        ("sources", {"sources": ["昭通新闻网"]}),
        ("sources.date", {"sources": [{"name": "昭通新闻网", "kind": "article"}]}),
        ("sources.date", {"sources": [{"name": "昭通新闻网", "kind": "article", "date": "2021-13"}]}),
        ("sources.kind", {"sources": [{"name": "昭通新闻网", "kind": "rumour", "date": "2021"}]}),
        ("sources.file", {"sources": [{"name": "某法", "kind": "law", "date": "2021"}]}),
        ("sources.page", {"sources": [{"name": "某法", "kind": "article", "date": "2021", "page": 3}]}),
        ("region", {"region": "guangdong"}),
        ("topic", {"topic": "weather"}),
        ("long", {"long": ""}),
        ("long", {"long": "（没关上"}),
    ],
)
def test_a_bad_entry_is_refused_with_its_file_and_field(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(HandbookError) as caught:
        parse_entry(written(**changes), "orphan-test.md")
    assert caught.value.field == field
    assert str(caught.value).startswith(f"orphan-test.md: {field}: ")


def test_a_recalled_fact_must_say_that_the_rule_of_the_day_decides() -> None:
    recalled = [{"name": "常见做法", "kind": "recalled", "date": "2026-11-23"}]
    with pytest.raises(HandbookError, match="以当地民政部门最新规定为准"):
        parse_entry(written(short="可以匿名举报（常见做法，2026年）", sources=recalled), "orphan-test.md")


@pytest.mark.parametrize(
    "content",
    [
        "没有字段的文本",
        "---\nid: [\n---\n正文",
        "---\n只是一句话\n---\n正文",
        b"\xff\xfe\x00",
        "---\nid: a\nid: b\n---\n正文",
    ],
)
def test_a_file_that_is_no_entry_is_refused_as_a_file(content: str | bytes) -> None:
    with pytest.raises(HandbookError) as caught:
        parse_entry(content, "broken.md")
    assert caught.value.field == "file"
    assert caught.value.path == "broken.md"


def test_an_emoji_beyond_the_bmp_counts_as_two_units() -> None:
    assert units("好😀") == 3


def test_two_entries_with_one_wording_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(written(id="a"), encoding="utf-8")
    (tmp_path / "b.md").write_text(written(id="b", question="另一个问题？"), encoding="utf-8")
    with pytest.raises(HandbookError, match=r"b\.md: variants"):
        load_entries(tmp_path)


def test_an_empty_folder_is_no_handbook(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="没有问答"):
        load_entries(tmp_path)


def test_the_entries_of_the_repo_are_all_good_and_many() -> None:
    entries = load_entries()
    assert len(entries) >= 260
    assert all(units(entry.short) <= SHORT_LIMIT for entry in entries)
    assert len({entry.topic for entry in entries}) == 25
