"""What triage must say about the texts that the issue names, and about texts of each kind."""

from __future__ import annotations

import pytest

from sms_gateway import triage
from sms_gateway.triage import Harm, Immediacy, Lane

judge = triage.load().judge


def test_someone_kicking_the_door_is_red_now_with_the_police() -> None:
    judged = judge("有个叔叔一直在踹我家门 就我和弟弟在")
    assert judged.lane is Lane.RED
    assert judged.type in (Harm.VIOLENCE, Harm.OTHER)
    assert judged.services[0] == "110"
    assert judged.immediacy is Immediacy.NOW
    assert judged.reply_key in ("red.violence", "red.other")
    assert any("踹" in reason for reason in judged.reasons)


def test_a_past_disclosure_is_orange_and_sexual() -> None:
    judged = judge("上学期校长摸过我 现在不敢说")
    assert (judged.lane, judged.type, judged.sexual) == (Lane.ORANGE, Harm.SEXUAL, True)
    assert judged.immediacy is Immediacy.PAST
    assert judged.services == ()
    assert judged.reply_key is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("我闺蜜给我发消息说她今晚就要跳下去了 让我别告诉老师", "red.suicide.friend"),
        ("我同桌刚才在厕所吞了一整瓶药 现在叫不醒", "red.medical"),
        ("我不想活了 我站在楼顶上", "red.suicide"),
        ("我朋友走了 我也不想活了", "red.suicide"),
    ],
)
def test_a_child_afraid_for_a_friend_gets_the_words_for_a_friend(text: str, key: str) -> None:
    judged = judge(text)
    assert (judged.lane, judged.reply_key) == (Lane.RED, key)


@pytest.mark.parametrize(
    "text",
    [
        "孤儿每个月能领多少钱",
        "我要投诉 学校天天占体育课",
        "停水",
        "小区停水两天了",
        "家暴怎么申请保护令",
        "在吗",
        "你好",
        "累死了",
        "谢谢",
        "退订",
    ],
)
def test_questions_complaints_and_greetings_are_blue(text: str) -> None:
    judged = judge(text)
    assert (judged.lane, judged.type, judged.services) == (Lane.BLUE, Harm.NONE, ())
    assert judged.immediacy is Immediacy.NONE


@pytest.mark.parametrize(
    ("text", "harm", "first"),
    [
        ("我不想活了", Harm.SELF_HARM, "110"),
        ("我家着火了 好多烟", Harm.FIRE, "119"),
        ("有小孩掉水库里了 没上来", Harm.DROWNING, "119"),
        ("妹妹叫不醒了", Harm.MEDICAL, "120"),
        ("学生被车撞了 在校门口", Harm.TRAFFIC, "122"),
        ("我儿子放学不见了 到处找不到", Harm.MISSING, "110"),
        ("我被锁在屋里 出不去", Harm.CONFINED, "110"),
        ("爸爸拿刀要砍妈妈", Harm.VIOLENCE, "110"),
        ("我和妹妹在家 爸妈好几天没回来 没有饭吃", Harm.ALONE, "110"),
        ("滑坡了 房子被埋了", Harm.OTHER, "119"),
    ],
)
def test_plain_danger_is_red_with_its_type_and_number(text: str, harm: Harm, first: str) -> None:
    judged = judge(text)
    assert judged.lane is Lane.RED
    assert judged.type is harm
    assert judged.services[0] == first
    assert judged.reply_key is not None


@pytest.mark.parametrize(
    "text", ["我想自\u200b杀", "我 想 自 杀", "我想自.杀", "我想自,杀", "我想自—杀", "我想自殺", "我想ｚｓ"]
)
def test_danger_words_are_found_however_they_are_hidden(text: str) -> None:
    assert judge(text).lane is Lane.RED


def test_fragments_are_read_together_with_what_came_before() -> None:
    assert judge("他又来了", earlier=["在吗", "救", "我"]).lane is Lane.RED
    assert judge("在吗").lane is Lane.BLUE


def test_taking_it_back_never_lowers_what_was_said() -> None:
    for after in ("没事了", "骗你的 闹着玩", "不用管了"):
        judged = judge(after, earlier=["我爸拿刀要砍我妈"])
        assert judged.lane is Lane.RED
        assert any("不算数" in reason for reason in judged.reasons)
    assert judge("没事了", earlier=["孤儿每个月能领多少钱"]).lane is Lane.BLUE


def test_a_policy_question_after_danger_is_still_a_policy_question() -> None:
    assert judge("孤儿每个月能领多少钱", earlier=["我爸拿刀要砍我妈"]).lane is Lane.BLUE


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("请问爸爸打妈妈可以报警吗，他现在正掐着妈妈的脖子", "red.violence"),
        ("请问有人落水打什么电话，我弟弟刚掉下去了", "red.drowning"),
        ("咨询一下误食老鼠药怎么处理，宝宝刚才吃了几颗", "red.medical"),
        ("我又打孩子了，停不下来，我怎么办", "parent.rage"),
        ("我侄女被骗到柬埔寨了，回不来", "overseas"),
    ],
)
def test_a_polite_question_about_what_is_happening_now_is_red(text: str, key: str) -> None:
    judged = judge(text)
    assert (judged.lane, judged.reply_key) == (Lane.RED, key)


@pytest.mark.parametrize(
    "text",
    [
        "请问爸爸打妈妈可以报警吗，我写作文要用", "请问有人落水打什么电话，班会要讲", "牛吃了打过农药的草，口吐白沫倒了",
        "以为孩子丢了，原来在衣柜里睡着了", "妈妈把我的零食锁在柜子里",
    ],
)  # fmt: skip
def test_a_mere_question_a_beast_or_what_is_over_is_not_red(text: str) -> None:
    assert judge(text).lane is not Lane.RED


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("我爸把我赶出来了，我没地方去", "red.other"),
        ("妈妈三天没回来，家里只有我和弟弟，没有吃的了", "red.alone"),
    ],
)
def test_a_child_put_out_of_doors_is_not_told_to_lock_the_door(text: str, key: str) -> None:
    judged = judge(text)
    assert (judged.lane, judged.reply_key) == (Lane.RED, key)
