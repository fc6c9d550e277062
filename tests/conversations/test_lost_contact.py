"""Contact broke off: nothing to the phone, the desk with the last place, those near, all written down, open until seen."""

from __future__ import annotations

from sms_gateway.conversations.lost_contact import Facts, next_steps


def test_the_phone_is_left_alone_first_and_the_end_is_that_somebody_saw_the_child() -> None:
    steps = next_steps(Facts())
    assert steps[0].startswith("手机上先停下") and "不回拨" in steps[0]
    assert "亲眼见到孩子" in steps[-1]
    assert "马上交 110" in steps[1], "nobody has it yet"


def test_a_desk_that_has_it_is_told_and_asked_again_never_the_child() -> None:
    steps = next_steps(Facts(handed_to="110"))
    assert "告诉 110" in steps[1] and "30 分钟" in steps[1] and "只问接警方" in steps[1]
    assert not any("马上交" in step for step in steps)


def test_a_county_alone_leads_to_no_door() -> None:
    vague = next_steps(Facts(place="昭通市镇雄县"))
    exact = next_steps(Facts(place="昭通市镇雄县 “泼机镇”", can_be_driven_to=True))
    assert any("从头再看一遍" in step and "昭通市镇雄县" in step for step in vague)
    assert any("按最后说的地点找" in step for step in exact) and not any("从头再看" in step for step in exact)


def test_who_is_near_who_told_and_the_safe_contact_come_in_never_the_one_who_hurts() -> None:
    steps = next_steps(Facts(near=["泼机派出所", "县民政夜间"], others=2, safe_contact="打电话"))
    assert any("泼机派出所、县民政夜间" in step and "不说是谁报的" in step for step in steps)
    assert any("还有 2 人" in step for step in steps)
    assert any("不找伤害孩子的人" in step for step in steps)
    alone = next_steps(Facts(safe_contact="先别找我"))
    assert any("州市、省里" in step for step in alone) and not any("先别找我" in step for step in alone)


def test_where_there_is_no_phone_nothing_is_said_of_it() -> None:
    assert not any("手机" in step for step in next_steps(Facts(may_write=False)))
