"""Every figure of the article the project starts from can be asked for, and is told with its date."""

from __future__ import annotations

import pytest

from policy_faq import Handbook

FIGURES = [
    ("孤儿每个月能领多少钱", ("1280", "1980", "2020", "昭通新闻网2021-09-04", "以当地民政部门最新规定为准")),
    ("福利院集中供养的孤儿一月多少", ("1980",)),
    ("云南有多少孤儿", ("9262",)),
    ("全省事实无人抚养儿童人数", ("14670",)),
    ("城市低保每人每月多少", ("640",)),
    ("农村低保一年多少钱", ("4500",)),
    ("特困供养每月标准", ("832",)),
    ("多少未成年人纳入城市低保", ("5.43万", "13.22%")),
    ("农村低保的未成年人有多少", ("41万", "16.73%")),
    ("特困救助的未成年人多少", ("0.49万", "3.93%")),
    ("彩票公益金资助了多少孤儿做手术", ("754万元", "167", "236", "1366")),
    ("2304万元是做什么的", ("2304万元", "1万元")),
    ("孤儿上大学每学年资助多少", ("1万元",)),
    ("价格临时补贴发了多少", ("18.06亿元", "5200.05万人次", "8.26万人次")),
    ("十三五儿童福利机构投入多少", ("2.57亿元",)),
    ("云南有多少个儿童福利机构", ("47", "36", "1.4万", "98%")),
    ("儿童之家覆盖率", ("98%",)),
    ("未成年人救助保护中心有几个", ("36",)),
    ("知识问答手册印了多少册", ("52000",)),
    ("宣传活动有多少社会组织参加", ("30",)),
    ("领导小组有几个成员部门", ("37", "9个州（市）", "5月18日")),
    ("未成年人保护热线哪天开通", ("2021年6月1日", "12345")),
    ("三级热线是哪三级", ("省", "州", "县")),
    ("热线和哪些紧急电话联动", ("110", "119", "120", "122")),
    ("12345工单怎么流转", ("受理", "派单", "回访", "评价")),
    ("父母被遣送出境的孩子纳入保障了吗", ("遣送",)),
]


@pytest.mark.parametrize(("question", "figures"), FIGURES)
def test_a_figure_of_the_article_is_answered(handbook: Handbook, question: str, figures: tuple[str, ...]) -> None:
    answer = handbook.answer(question)
    assert answer.kind == "answer", (answer.kind, answer.score, [c.entry.id for c in handbook.search(question, 3)])
    for figure in figures:
        assert figure in answer.text


def test_the_orphan_answer_fits_two_segments_with_the_signature(handbook: Handbook) -> None:
    answer = handbook.answer("孤儿每个月能领多少钱")
    assert len(("【云南12345】" + answer.text).encode("utf-16-be")) // 2 <= 134
    assert answer.entry_id == "orphan-allowance"
    assert answer.long is not None
    assert "乡镇" in answer.long
