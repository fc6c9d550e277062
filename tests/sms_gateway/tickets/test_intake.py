"""The forms: the order of the questions, what need not be asked, and that nothing said is lost."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_gateway.messages.segments import units
from sms_gateway.tickets.asides import tells_only_particulars, tells_with_whom
from sms_gateway.tickets.draft import ORDER
from sms_gateway.tickets.intake import (
    Draft,
    DraftIsBroken,
    Kind,
    Outcome,
    Reading,
    lines,
    looks_like_question,
    missing,
    next_question,
    next_text,
    read_answer,
    start,
    summary,
)
from sms_gateway.wording import SIGNATURE


def fill(kind: str, opening: str, *texts: str) -> tuple[Draft, list[str], Reading | None]:
    """The draft after these texts, the names of the questions that were asked, the last reading."""
    draft, reading = start(kind, opening), None
    asked = [next_question(draft).name]
    for text in texts:
        reading = read_answer(draft, asked[-1], text)
        draft = reading.draft
        asked.append(next_question(draft).name)
    return draft, asked, reading


def one(kind: str, asked: str, text: str, **known: object) -> Reading:
    return read_answer(Draft(Kind(kind), **known), asked, text)  # type: ignore[arg-type]


# --- order -----------------------------------------------------------------------------------------------------------


def test_a_complaint_asks_in_the_order_of_the_practice() -> None:
    draft, asked, reading = fill("complaint", "我要投诉", "学校天天占体育课", "镇雄的", "1", "把课还回来", "2", "1")
    assert asked[:-1] == ["what", "county", "still", "wish", "secret", "confirm"]
    assert reading is not None and reading.outcome is Outcome.CONFIRMED
    assert draft.county == "530627"
    assert draft.answers == {"what": "学校天天占体育课", "still": "还在", "wish": "把课还回来", "secret": "不用"}


def test_a_help_request_asks_in_the_order_of_the_practice() -> None:
    _, asked, _ = fill("help", "求助", "2", "家里不给读书", "威信", "我自己 13岁", "3", "1")
    assert asked[:-1] == ["danger", "what", "county", "child", "contact", "confirm"]


def test_a_report_asks_in_the_order_of_the_practice() -> None:
    _, asked, _ = fill("report", "我要举报", "3", "网吧天天放小娃进去", "水富市 新街口", "不知道", "2", "1")
    assert asked[:-1] == ["danger", "what", "county", "child", "again", "confirm"]


def test_those_who_must_report_get_the_short_form() -> None:
    _, asked, _ = fill(
        "mandated",
        "我要报告",
        "和奶奶，五点接走",
        "手臂上有烫伤，他说是烟头",
        "1",
        "20261123001",
        "昭阳区一中 班主任",
        "对",
    )
    assert asked[:-1] == ["with", "what", "police", "reference", "unit", "confirm"]


def test_the_police_number_is_asked_only_after_a_call_and_without_one_the_call_comes_first() -> None:
    _, asked, reading = fill("mandated", "我要报告", "和奶奶", "手上有伤", "2")
    assert asked[-1] == "unit"
    assert reading is not None and reading.note_key == "form.call_110"


def test_the_opening_text_answers_what_it_already_says() -> None:
    _, asked, _ = fill("complaint", "我要投诉 镇雄县城关小学天天占体育课")
    assert asked == ["still"]
    assert start("complaint", "我要投诉 学校天天占体育课").answers["what"] == "学校天天占体育课"
    assert next_question(start("help", "我儿子8岁在巧家县上不了学")).name == "danger"
    assert start("help", "我儿子8岁在巧家县上不了学").knows("child")


@pytest.mark.parametrize(
    "opening",
    [
        "我要投诉",
        "投诉",
        "你好，我想投诉一下",
        "我要投诉！",
        "求助求助",
        "我要举报一个事情",
        "您好 我要求助",
        "投诉 镇雄的",
        "",
    ],
)
def test_an_opening_that_says_nothing_is_not_taken_for_the_matter(opening: str) -> None:
    assert "what" in missing(start("complaint", opening))


# --- skipping, stopping, going on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["跳过", "不知道", "不想说", "认不得", "不晓得", "不清楚。", "没有", "下一个"])
def test_what_is_not_required_can_be_skipped(word: str) -> None:
    reading = one("complaint", "wish", word)
    assert reading.outcome is Outcome.SKIPPED
    assert next_question(reading.draft).name != "wish" and reading.draft.knows("wish")


def test_what_happened_cannot_be_skipped() -> None:
    reading = one("complaint", "what", "跳过")
    assert reading.outcome is Outcome.UNCLEAR
    assert next_question(reading.draft).name == "what"


@pytest.mark.parametrize("word", ["就这些", "提交", "可以了", "没有了", "就这样吧", "没了", "说完了", "提交吧！"])
def test_done_leads_straight_to_the_confirmation(word: str) -> None:
    reading = one("complaint", "wish", word, answers={"what": "占课", "still": "还在"}, county="530627")
    assert reading.outcome is Outcome.SUBMIT
    assert next_question(reading.draft).name == "confirm"


def test_done_too_early_asks_only_for_what_is_required() -> None:
    _, asked, _ = fill("complaint", "我要投诉", "提交", "占体育课", "镇雄")
    assert asked == ["what", "what", "county", "confirm"]
    assert next_question(Draft(Kind.COMPLAINT, hurry=True)).key == "form.need_what"


def test_gone_now_is_an_answer_where_it_is_one() -> None:
    reading = one("complaint", "still", "没有了")
    assert (reading.outcome, reading.draft.answers["still"]) == (Outcome.ANSWERED, "没有了")


@pytest.mark.parametrize("word", ["取消", "算了", "算了不投诉了", "不投诉了", "不登记了", "算了，不说了", "撤销"])
def test_a_form_can_be_dropped(word: str) -> None:
    assert one("complaint", "what", word).outcome is Outcome.CANCEL


@pytest.mark.parametrize("word", ["等会再说", "晚点再说", "等一下", "现在不方便", "待会儿聊", "先不说了"])
def test_a_form_can_be_left_and_is_kept(word: str) -> None:
    draft = Draft(Kind.HELP, answers={"what": "没书读"})
    reading = read_answer(draft, "county", word)
    assert (reading.outcome, reading.draft, reading.note_key) == (Outcome.PAUSED, draft, "form.kept")


def test_when_somebody_comes_nothing_is_sent() -> None:
    reading = one("help", "what", "有人来了")
    assert (reading.outcome, reading.note_key) == (Outcome.PAUSED, None)


# --- digits and words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "text", "answer"),
    [
        ("danger", "2", "没有"),
        ("danger", "３", "说不清"),
        ("danger", "没有", "没有"),
        ("danger", "没事", "没有"),
        ("danger", "不知道", "说不清"),
        ("contact", "1", "短信"),
        ("contact", "发短信吧", "短信"),
        ("contact", "打电话", "打电话"),
        ("contact", "先别找我", "先别找我"),
        ("contact", "3.", "先别找我"),
    ],
)
def test_digits_and_plain_words_choose_the_same(asked: str, text: str, answer: str) -> None:
    reading = one("help", asked, text)
    assert (reading.outcome, reading.draft.answers[asked]) == (Outcome.ANSWERED, answer)


@pytest.mark.parametrize("text", ["1", "1有", "有", "有人受伤了", "是的"])
@pytest.mark.parametrize("kind", ["help", "report"])
def test_somebody_is_hurt_ends_the_form(kind: str, text: str) -> None:
    assert one(kind, "danger", text).outcome is Outcome.DANGER


def test_what_stands_beside_a_digit_is_kept() -> None:
    reading = one("complaint", "still", "2 上周停的", answers={"what": "占课"})
    assert reading.draft.answers["still"] == "没有了"
    assert "上周停的" in reading.draft.answers["more"]


def test_a_number_of_years_is_no_choice() -> None:
    read = one("report", "again", "2个小孩，一个3岁").draft
    assert "again" not in read.answers and read.answers["child"] == "2个小孩，一个3岁"


def test_a_digit_that_is_not_offered_is_asked_again() -> None:
    reading = one("complaint", "secret", "7")
    assert (reading.outcome, reading.note_key) == (Outcome.UNCLEAR, "form.reask")


# --- the county --------------------------------------------------------------------------------------------------------


def test_a_county_in_any_free_text_is_not_asked_again() -> None:
    reading = one("complaint", "what", "昭通市镇雄县的一所中学收补课费")
    assert reading.draft.county == "530627"
    assert next_question(reading.draft).name == "still"


def test_a_prefecture_is_followed_by_the_question_which_county_in_it() -> None:
    reading = one("complaint", "county", "昭通", answers={"what": "占课"})
    assert next_question(reading.draft).key == "form.county_of"
    assert "昭通市" in next_text(reading)


def test_a_name_of_prefecture_and_city_is_asked_about_by_digit() -> None:
    draft, asked, _ = fill("complaint", "我要投诉 学校占体育课", "大理", "1")
    assert asked == ["county", "county", "still"]
    assert draft.county == "532901"
    draft, asked, _ = fill("complaint", "我要投诉 学校占体育课", "大理", "2", "宾川")
    assert draft.county == "532924"


def test_two_counties_are_asked_about_by_digit() -> None:
    draft, _, _ = fill("complaint", "我要投诉 学校占体育课", "镇雄和威信都有", "2")
    assert draft.county == "530629"


def test_who_does_not_know_the_county_is_not_stuck() -> None:
    draft, asked, reading = fill("help", "求助 没书读了没人管", "2", "不知道")
    assert asked[-1] == "child"
    assert reading is not None and reading.note_key == "form.county_later"
    assert not missing(draft)


def test_an_unknown_place_is_asked_once_more_and_then_kept_as_it_was_written() -> None:
    draft, asked, _ = fill("complaint", "我要投诉 学校占体育课", "那个坝子", "就是坝子那头")
    assert asked == ["county", "county", "still"]
    assert "坝子那头" in json.dumps(dict(draft.answers), ensure_ascii=False)


def test_another_province_is_told_apart() -> None:
    reading = one("complaint", "county", "贵州毕节", answers={"what": "占课"})
    assert (reading.outcome, reading.draft.elsewhere) == (Outcome.ELSEWHERE, "贵州")
    assert start("help", "我在缅甸被关着不给走").elsewhere == "abroad"


def test_a_far_place_in_the_story_does_not_send_the_matter_away() -> None:
    _, asked, reading = fill("help", "求助", "2", "妈妈不在 我爹在镇上 堂哥人在广东 没人管我", "1")
    assert reading is not None and reading.outcome is not Outcome.ELSEWHERE
    assert asked[-1] == "county"
    assert start("help", "家里叫我去广东打工 我想读书").elsewhere is None


def test_several_answers_in_one_text_are_all_taken() -> None:
    draft = Draft(Kind.COMPLAINT)
    reading = read_answer(draft, "what", "镇雄一中 昨天 班主任打的 不要说我名字")
    assert reading.draft.county == "530627"
    assert reading.draft.answers["secret"] == "要"
    assert [name for name in ORDER[Kind.COMPLAINT] if not reading.draft.knows(name)] == ["still", "wish"]
    late = read_answer(Draft(Kind.COMPLAINT, {"what": "打人"}), "county", "镇雄一中 昨天 班主任打的 不要说我名字").draft
    assert late.county == "530627" and late.answers["secret"] == "要" and "班主任打的" in late.answers["more"]


# --- changing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["不对 是威信", "不是镇雄，是威信", "写错了，威信县", "应该是威信"])
@pytest.mark.parametrize("asked", ["still", "wish", "confirm"])
def test_a_wrong_county_is_corrected_at_any_time(asked: str, text: str) -> None:
    reading = one("complaint", asked, text, answers={"what": "占课"}, county="530627")
    assert (reading.outcome, reading.draft.county, reading.note_key) == (Outcome.CORRECTED, "530629", "form.corrected")


def test_two_to_the_confirmation_asks_what_to_change() -> None:
    ready = {"answers": {"what": "占课", "still": "还在", "wish": "还课", "secret": "要"}, "county": "530627"}
    fixing = one("complaint", "confirm", "2", **ready).draft
    assert next_question(fixing).name == "fix"
    assert next_question(read_answer(fixing, "fix", "1").draft).name == "what"
    assert next_question(read_answer(fixing, "fix", "2").draft).name == "county"
    more = read_answer(fixing, "fix", "3").draft
    assert next_question(more).name == "more"
    added = read_answer(more, "more", "还占美术课")
    assert added.draft.answers["more"] == "还占美术课" and next_question(added.draft).name == "confirm"


def test_what_was_said_first_stays_on_record_when_it_is_changed() -> None:
    draft = Draft(Kind.COMPLAINT, {"what": "占课"}, county="530627", fixing="fix")
    assert "占课" in read_answer(draft, "fix", "1").draft.answers["more"]


@pytest.mark.parametrize(
    "text", ["1", "对", "提交", "是的", "没错", "好", "可以", "没有了", "1对，提交", "嗯 对的", "对对对"]
)
def test_yes_to_the_confirmation_opens_the_ticket(text: str) -> None:
    assert one("complaint", "confirm", text, answers={"what": "占课"}, county="530627").outcome is Outcome.CONFIRMED


def test_words_instead_of_a_yes_are_added_and_read_back_again() -> None:
    reading = one(
        "complaint",
        "confirm",
        "还有作业也太多",
        answers={"what": "占课", "still": "还在", "wish": "无", "secret": "要"},
        county="530627",
    )
    assert reading.outcome is Outcome.CORRECTED
    assert "作业" in reading.draft.answers["more"]
    assert next_question(reading.draft).name == "confirm"


def test_the_confirmation_tells_the_place_and_a_kind_of_matter_and_no_details() -> None:
    text = summary(Draft(Kind.REPORT, {"what": "数学老师姓张，天天打我儿子耳光"}, county="530627"))
    assert "昭通市镇雄县" in text and "学校的事" in text
    assert not any(word in text for word in ("打", "耳光", "张", "儿子"))


# --- questions about policy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "孤儿每个月能领多少钱",
        "请问低保怎么申请？",
        "事实无人抚养补贴要什么材料",
        "想问一下残疾儿童有没有补助",
        "你们会保密吗？",
    ],
)
def test_a_question_in_between_is_not_taken_for_an_answer(text: str) -> None:
    assert looks_like_question(text)
    draft = Draft(Kind.COMPLAINT, {"what": "占课"})
    reading = read_answer(draft, "county", text)
    assert (reading.outcome, reading.draft) == (Outcome.POLICY_QUESTION, draft)
    assert read_answer(draft, "county", text, as_answer=True).outcome is not Outcome.POLICY_QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "学校收了补助的钱不给我们",
        "老师把低保户的名字念出来",
        "镇雄的",
        "",
        "？",
        "他怎么这样对我",
        "学校天天占体育课",
        "我不知道怎么办",
        "孤儿",
        "家里没钱了",
    ],
)
def test_a_story_is_no_question(text: str) -> None:
    assert not looks_like_question(text)


def test_a_story_that_ends_in_a_question_stays_the_story() -> None:
    reading = one("complaint", "what", "学校收我们每人八十块补课费合法吗")
    assert reading.outcome is Outcome.ANSWERED


# --- the draft itself ----------------------------------------------------------------------------------------------------


def test_a_draft_survives_being_stored() -> None:
    draft, _, _ = fill("complaint", "我要投诉 学校占课", "大理", "1", "跳过", "跳过")
    assert Draft.from_json(draft.to_json()) == draft


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"kind": "help"}',
        '{"kind": "x", "answers": {}, "skipped": [], "candidates": []}',
        "not json 13800000001",
    ],
)
def test_a_broken_draft_is_refused_without_repeating_it(stored: str) -> None:
    with pytest.raises(DraftIsBroken) as caught:
        Draft.from_json(stored)
    assert "1380000" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_operators_read_the_answers_under_plain_labels_in_order() -> None:
    draft = Draft(Kind.COMPLAINT, {"secret": "要", "what": "占课", "more": "补一句"}, county="530627")
    assert lines(draft) == [("什么事", "占课"), ("在哪个县", "昭通市镇雄县"), ("要不要保密", "要"), ("补充", "补一句")]


ANSWERS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "1",
            "2",
            "3",
            "跳过",
            "镇雄的",
            "大理",
            "昭通",
            "贵州",
            "提交",
            "就这些",
            "不对",
            "不对 是威信",
            "老师打人 在威信 别说是我",
            "等会再说",
            "没有了",
            "不知道",
            "孤儿每月领多少钱",
            "我13岁",
            "希望换老师",
            "有人来了",
            "不是打，是骂",
            "镇雄和威信都有",
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(Kind), st.text(max_size=40), st.lists(ANSWERS, max_size=14))
def test_a_form_goes_on_whatever_is_written_and_each_text_fits_one_sms(
    kind: Kind, opening: str, texts: list[str]
) -> None:
    draft = start(kind, opening)
    for text in texts:
        reading = read_answer(draft, next_question(draft), text)
        before, draft = draft, reading.draft
        assert Draft.from_json(draft.to_json()) == draft
        assert (
            units(SIGNATURE + next_text(reading)) <= 70
            or reading.note_key == "form.cancelled"
            or reading.note_key == "form.kept"
        )
        said = json.dumps(dict(draft.answers), ensure_ascii=False)
        for name, answer in before.answers.items():  # nothing written before is gone, wherever it stands now
            assert json.dumps(answer, ensure_ascii=False)[1:-1] in said or (name in ORDER[kind] and name != "what")


FREE = st.text(alphabet="我的书包被同学抢了好几回宿舍里冷得很", min_size=8, max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([(kind, name) for kind in Kind for name in ORDER[kind] if name != "reference"]), FREE)
def test_a_free_text_to_any_question_is_on_record_afterwards(where: tuple[Kind, str], text: str) -> None:
    kind, name = where
    reading = read_answer(
        Draft(kind, {"what": "前面说过的事", "police": "打了"} if name != "police" else {"what": "前面说过的事"}),
        name,
        text,
    )
    assert reading.outcome in (Outcome.ANSWERED, Outcome.UNCLEAR)
    assert text in json.dumps(dict(reading.draft.answers), ensure_ascii=False)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(Kind),
    st.lists(st.sampled_from(["啊", "不知道", "跳过", "7", "嗯哼", "没有"]), min_size=20, max_size=20),
)
def test_nobody_is_caught_in_an_endless_form(kind: Kind, texts: list[str]) -> None:
    draft = start(kind, "我要说的是学校食堂的饭菜发霉")
    asked = set()
    for text in texts:
        asked.add(next_question(draft).name)
        draft = read_answer(draft, next_question(draft), text).draft
    assert "confirm" in asked


def test_a_very_long_text_is_read_in_linear_time() -> None:
    began = time.perf_counter()
    read_answer(start("complaint", "我要投诉" * 500), "county", "不是打是骂 希望要求 大关 我家" * 1500)
    assert time.perf_counter() - began < 3.0


# --- any order, taken back, asked in return --------------------------------------------------------------------------


def test_one_text_fills_place_time_person_and_secrecy() -> None:
    draft, asked, _ = fill("complaint", "我要投诉", "镇雄一中 昨天 班主任打的 不要说我名字")
    assert asked == ["what", "still"] and draft.county == "530627"
    known = {name: draft.answers[name] for name in ("place", "when", "who", "secret")}
    assert known == {"place": "镇雄一中", "when": "昨天", "who": "班主任", "secret": "要"}


def test_answers_to_other_questions_are_kept_and_the_open_one_put_again() -> None:
    reading = one("complaint", "county", "要保密", answers={"what": "食堂饭里有虫"})
    assert (reading.outcome, reading.note_key) == (Outcome.ANSWERED, "form.noted")
    assert reading.draft.answers["secret"] == "要" and next_question(reading.draft).name == "county"


def test_a_wish_about_ones_name_is_not_the_childs_age() -> None:
    reading = one("report", "child", "老街新网吧 不要说我名字", answers={"what": "网吧收小学生"})
    assert "child" not in reading.draft.answers and reading.draft.answers["place"] == "老街新网吧"


@pytest.mark.parametrize(
    ("text", "county"),
    [
        ("不对 是威信", "530629"),
        ("是威信不是镇雄", "530629"),
        ("刚才地方写错了，是彝良的", "530628"),
        ("应该是彝良", "530628"),
    ],
)
def test_the_county_is_taken_back_in_many_ways(text: str, county: str) -> None:
    reading = one("complaint", "still", text, answers={"what": "乱收费"}, county="530627")
    assert (reading.outcome, reading.draft.county) == (Outcome.CORRECTED, county)


def test_a_wrong_digit_is_taken_back() -> None:
    _, asked, _ = fill("complaint", "我要投诉 学校乱收费 镇雄", "2", "选错了", "1")
    assert asked == ["still", "wish", "still", "wish"]
    draft, _, _ = fill("complaint", "我要投诉 学校乱收费 镇雄", "2", "选错了 应该是1")
    assert draft.answers["still"] == "还在"


def test_an_age_is_taken_back() -> None:
    draft, _, _ = fill("help", "我要求助", "2", "我12岁 家里没钱交学费", "镇雄", "不对 是13岁")
    assert draft.answers["child"] == "13岁" and "不对 是13岁" in draft.answers["more"]


@pytest.mark.parametrize("asked", ["county", "still", "wish", "secret"])
def test_a_question_in_return_is_no_answer(asked: str) -> None:
    reading = one("complaint", asked, "这个多久能办好啊", answers={"what": "乱收费"})
    assert reading.outcome is Outcome.POLICY_QUESTION


def test_a_wish_put_as_a_question_is_a_wish() -> None:
    reading = one("complaint", "wish", "能不能让他们退钱", answers={"what": "乱收费"})
    assert reading.draft.answers["wish"] == "能不能让他们退钱"


@pytest.mark.parametrize("word", ["好的", "嗯嗯", "谢谢", "收到"])
def test_a_polite_word_answers_nothing_and_costs_no_try(word: str) -> None:
    reading = one("complaint", "what", word)
    assert (reading.outcome, reading.draft.tries) == (Outcome.UNCLEAR, 0) and "what" not in reading.draft.answers


@pytest.mark.parametrize("text", ["威信县", "宣威，在第三小学旁边", "15岁，是我自己", "昨天", "在镇雄"])
def test_a_place_or_an_age_says_nothing_of_what_happened(text: str) -> None:
    assert tells_only_particulars(text)


@pytest.mark.parametrize("text", ["他在门口", "弟弟自己在家", "我一个人在家", "我12岁被打", "有人来了", "救我", ""])
def test_what_may_be_danger_beside_earlier_texts_is_more_than_particulars(text: str) -> None:
    assert not tells_only_particulars(text) and not tells_with_whom(text)
