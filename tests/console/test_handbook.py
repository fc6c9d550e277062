"""The handbook's pages: what was not answered becomes an answer, by two people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from sms_gateway.contacts.models import Channel
from sms_gateway.database import transaction
from sms_gateway.operators.models import Role
from sms_gateway.operators.presence import is_anyone_on_duty

from .conftest import PAGE, Desk, SignIn
from .handbook_story import CAMPING, ENTRY, ask_what_nobody_knows, warm
from .story import Teller


@pytest.fixture(autouse=True)
def at_once(tmp_path: Path) -> None:
    warm(tmp_path)


async def submit(desk: Desk, path: str, **fields: object) -> str:
    """Send a plain form; where it leads."""
    answer = await desk.client.post(path, data={"csrf": desk.csrf, **fields}, headers=PAGE)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_questions_of_one_meaning_stand_together_and_long_numbers_are_blotted_out(
    console: FastAPI, sign_in: SignIn
) -> None:
    await ask_what_nobody_knows()
    editor = await sign_in("bianji", "编辑甲", Role.EDITOR)
    page = (await editor.see("/handbook/gaps")).text
    assert all(words in page for words in CAMPING[:3])
    assert "13800001234" not in page and "＊＊＊" in page
    camping = next(part for part in page.split("gap-card") if CAMPING[0] in part)
    assert sum(words in camping for words in CAMPING[:3]) >= 2 and "考驾照要几岁" not in camping
    assert "答了，说不是这个" in page and "孤儿每个月能领多少钱？" in page


async def test_what_tells_of_danger_or_harm_is_never_listed(console: FastAPI, sign_in: SignIn) -> None:
    from sms_gateway.handbook import asked
    from sms_gateway.handbook.models import Outcome

    person = Teller("+8613800000032")
    message_id = await person.says("我爸喝醉了在打我妈 还说要打我 怎么办")
    async with transaction() as session:
        await asked.note_asked(session, thread_id=person.thread_id, message_id=message_id, outcome=Outcome.UNANSWERED)
    editor = await sign_in("bianji", "编辑甲", Role.EDITOR)
    page = (await editor.see("/handbook/gaps")).text
    assert "现在没有没答上的问题" in page and "喝醉" not in page


async def test_an_operator_sees_nothing_of_the_handbooks_questions_and_an_editor_nothing_of_the_talks(
    console: FastAPI, sign_in: SignIn
) -> None:
    operator, editor = await sign_in(), await sign_in("bianji", "编辑甲", Role.EDITOR)
    assert (await operator.see("/handbook/gaps")).status_code == 403
    assert 'href="/handbook"' not in (await operator.see("/")).text
    assert (await editor.see("/")).headers["location"] == "/handbook"
    for path in ("/tickets", "/talks/1", "/team", "/queue/part"):
        assert (await editor.see(path)).status_code == 403, path


async def test_an_editor_is_never_on_duty_and_does_not_count_as_somebody_who_is_there(
    console: FastAPI, sign_in: SignIn
) -> None:
    editor = await sign_in("bianji", "编辑甲", Role.EDITOR)
    await editor.do("/live/beat")
    assert (await editor.do("/live/duty", on="1")).status_code == 403
    async with transaction() as session:
        assert not await is_anyone_on_duty(session)


async def test_a_question_becomes_a_draft_and_only_a_second_person_can_let_it_out(
    console: FastAPI, sign_in: SignIn
) -> None:
    await ask_what_nobody_knows()
    editor = await sign_in("bianji", "编辑甲", Role.EDITOR)
    page = (await editor.see("/handbook/gaps")).text
    camping = next(part for part in page.split("gap-card") if CAMPING[1] in part)
    ticked = re.findall(r'name="ticked" value="(\d+)"', camping)
    draft = await submit(editor, "/handbook/drafts", ticked=ticked)
    form = (await editor.see(draft)).text
    assert "写一条问答" in form and CAMPING[1] in form and "从这些来信写起" in form

    checked = await editor.do(f"{draft}/check", **{**ENTRY, "short": "退不退看合同，每人200元（某某规定2013年）"})
    assert "有金额，要写“最新规定为准”" in checked.text and "要写数字截至哪天" in checked.text
    await submit(editor, f"{draft}/propose", version=1, **{**ENTRY, "short": ""})
    assert "写一条问答" in (await editor.see(draft)).text  # kept, not proposed
    await submit(editor, f"{draft}/propose", version=2, **ENTRY)

    own = await editor.client.post(f"{draft}/approve", data={"csrf": editor.csrf, "version": 3}, headers=PAGE)
    assert own.status_code == 403 and "自己写的" in own.text
    assert "要等<strong>另一个人</strong>来审" in (await editor.see(draft)).text
    second = await sign_in("bianji2", "编辑乙", Role.EDITOR)
    assert "通过，马上上线" in (await second.see(draft)).text
    stale = await second.client.post(f"{draft}/approve", data={"csrf": second.csrf, "version": 2}, headers=PAGE)
    assert stale.status_code == 409
    await submit(second, f"{draft}/approve", version=3)
    assert "已上线" in (await second.see(draft)).text
    assert CAMPING[1] not in (await second.see("/handbook/gaps")).text
    found = (await second.see("/handbook/entries?q=夏令营不去了退钱")).text
    assert ENTRY["question"] in found and "审过 第 1 版" in found


async def test_a_rejected_draft_goes_back_with_its_reason_and_may_be_proposed_again(
    console: FastAPI, sign_in: SignIn
) -> None:
    editor, lead = await sign_in("bianji", "编辑甲", Role.EDITOR), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    draft = await submit(editor, "/handbook/drafts")
    await submit(editor, f"{draft}/propose", version=1, **ENTRY)
    assert (await lead.client.post(f"{draft}/reject", data={"csrf": lead.csrf}, headers=PAGE)).status_code == 422
    await submit(lead, f"{draft}/reject", reason="第39条说的是争议解决，请写清找谁")
    assert "第39条说的是争议解决" in (await editor.see(draft)).text
    await submit(editor, f"{draft}/propose", version=2, **ENTRY)
    await submit(lead, f"{draft}/approve", version=3)


async def test_two_people_who_write_in_one_draft_do_not_overwrite_each_other(console: FastAPI, sign_in: SignIn) -> None:
    first, second = await sign_in("bianji", "编辑甲", Role.EDITOR), await sign_in("bianji2", "编辑乙", Role.EDITOR)
    draft = await submit(first, "/handbook/drafts")
    await submit(first, f"{draft}/save", version=1, **ENTRY)
    late = await second.client.post(f"{draft}/save", data={"csrf": second.csrf, "version": 1, **ENTRY}, headers=PAGE)
    assert late.status_code == 409 and "刚刚有人动过" in late.text


async def test_entries_past_their_review_date_are_listed_and_a_retired_one_is_answered_no_more(
    console: FastAPI, sign_in: SignIn
) -> None:
    editor = await sign_in("bianji", "编辑甲", Role.EDITOR)
    late = (await editor.see("/handbook/entries")).text
    assert "孤儿每个月能领多少钱？" in late and "2022-12-31" in late
    entry = (await editor.see("/handbook/entries/orphan-count")).text
    assert "以最新规定为准" in entry and "已过，该复核" in entry
    await submit(editor, "/handbook/entries/orphan-count/retire")
    assert "这一条已停用" in (await editor.see("/handbook/entries/orphan-count")).text
    await submit(editor, "/handbook/entries/orphan-count/restore")
    assert "今天这样答" in (await editor.see("/handbook/entries/orphan-count")).text


async def test_a_new_version_of_an_entry_takes_its_place_with_the_question_as_a_way_of_asking(
    console: FastAPI, sign_in: SignIn
) -> None:
    await ask_what_nobody_knows()
    editor, lead = await sign_in("bianji", "编辑甲", Role.EDITOR), await sign_in("banzhang", "班长", Role.SUPERVISOR)
    ticked = re.findall(
        r'name="ticked" value="(\d+)"[^>]*>\s*<span><span class="gap-words">考驾照',
        (await editor.see("/handbook/gaps")).text,
    )
    draft = await submit(editor, "/handbook/drafts", ticked=ticked, entry="bike-age")
    page = (await editor.see(draft)).text
    assert "改一条问答" in page and "考驾照要几岁" in page
    await submit(editor, f"{draft}/throw-away")
    assert "考驾照要几岁" in (await lead.see("/handbook/gaps")).text


async def test_nobody_can_write_markup_into_the_pages(console: FastAPI, sign_in: SignIn) -> None:
    person = Teller("visitor-of-the-handbook", Channel.WEB)
    from sms_gateway.handbook import asked
    from sms_gateway.handbook.models import Outcome

    message_id = await person.says("<script>alert(1)</script>这个怎么办理呢")
    async with transaction() as session:
        await asked.note_asked(session, thread_id=person.thread_id, message_id=message_id, outcome=Outcome.UNANSWERED)
    editor = await sign_in("bianji", "编辑甲", Role.EDITOR)
    page = (await editor.see("/handbook/gaps")).text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
