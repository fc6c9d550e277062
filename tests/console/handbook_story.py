"""Questions the handbook could not answer, and an entry somebody writes about them."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from policy_faq import Handbook
from sms_gateway.database import transaction
from sms_gateway.handbook import asked
from sms_gateway.handbook.models import Outcome, Verdict

from .story import Teller

CAMPING = (
    "夏令营走丢了钱退不退",
    "夏令营的钱能退吗",
    "报了夏令营不想去了能退费吗",
    "孩子夏令营没去成 老师不退钱 13800001234",
)
ENTRY = {
    "question": "报了夏令营不去了能退钱吗？",
    "variants": "夏令营退费\n夏令营的钱能退不\n娃娃不去夏令营了钱咋个退\n交了夏令营的钱想退\n夏令营没去成退钱吗\n研学营退费找谁\n暑假营不想去了\n夏令营老师不退钱",
    "short": "先看合同怎么写的，再找主办方协商；谈不成打12315，由市场监管部门调解。（消费者权益保护法2013年版第39条）",
    "long": "带上合同、交钱记录、聊天记录。先和主办方谈，谈不成打 12315 请求调解，也可以去法院。",
    "topic": "education", "region": "national", "figures_date": "", "review_by": "",
    "source_name": "中华人民共和国消费者权益保护法", "source_kind": "article", "source_file": "", "source_article": "第39条",
    "source_date": "2013-10-25",
}  # fmt: skip


@lru_cache(maxsize=1)
def _vectors() -> bytes:
    """What is not shipped yet (entries written since `python -m policy_faq` last ran), embedded once for a whole run."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "handbook.npz"
        Handbook.load(cache=cache)
        return cache.read_bytes() if cache.exists() else b""


def warm(data_dir: Path) -> None:
    """Let the console's handbook load at once, as it does where everything is shipped."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "handbook.npz").write_bytes(_vectors())


async def ask_what_nobody_knows(number: str = "+8613800000031") -> list[int]:
    """Four questions about one thing and one about another, none of them answered; the first one's asked id first."""
    person = Teller(number)
    ids = []
    for words in (*CAMPING, "考驾照要几岁"):
        message_id = await person.says(words)
        async with transaction() as session:
            await asked.note_asked(
                session, thread_id=person.thread_id, message_id=message_id, outcome=Outcome.UNANSWERED, score=0.1
            )
        ids.append(message_id)
    answered = await person.says("孤儿每个月能领多少钱")
    async with transaction() as session:
        await asked.note_asked(
            session, thread_id=person.thread_id, message_id=answered, outcome=Outcome.ANSWERED,
            entry_id="orphan-allowance", score=0.9,
        )  # fmt: skip
        await asked.note_verdict(session, thread_id=person.thread_id, verdict=Verdict.NOT_THIS, message_id=answered)
    return ids
