"""Whether the web chat needs real names is a lawyer's question (网保条例 31): until then it neither asks for one nor promises to know nobody."""

from __future__ import annotations

import re

import httpx
import pytest

from sms_gateway.webchat.door import PAGE
from sms_gateway.wording import load

ASKS = re.compile(r"请(?:先)?(?:填|写|输)[^。]{0,6}(?:真名|实名|姓名|身份证|手机号)|实名认证|登录后|注册")
PROMISES = re.compile(
    r"完全匿名|绝对匿名|匿名的|没有人知道|没人(?:会)?知道|谁也不知道|查不到你|绝对保密|不会告诉任何人|百分之百"
)


def test_the_page_asks_for_no_name_and_promises_no_full_anonymity() -> None:
    page = PAGE.read_text(encoding="utf-8")
    script = (PAGE.parents[1] / "static" / "chat.js").read_text(encoding="utf-8")
    for words in (page, script):
        assert not ASKS.search(words) and not PROMISES.search(words)
    assert "不用写真名" in page
    assert not re.search(r'type="(?:tel|email|password)"|name="(?:name|phone|id)"', page)


@pytest.mark.parametrize("said", ["完全匿名", "没人知道是你", "请填写真实姓名", "实名认证"])
def test_the_search_itself_finds_what_must_not_be(said: str) -> None:
    assert ASKS.search(said) or PROMISES.search(said)


def test_no_fixed_text_promises_it_either() -> None:
    for key, words in load().texts.items():
        assert not PROMISES.search(str(words)), key


async def test_the_first_text_needs_nothing_but_words(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/chat/texts", json={"id": "a" * 16, "body": "我想问一下"})
    assert answer.status_code == 202
