"""Who, by somebody's words, does it to the child: relation, whether they live together, whether it is a public or teaching post. Pure.

Only who is named together with harm is taken. Whom the words do not settle stays for an operator: in doubt nobody is
written down, except that a parent or step-parent who harms always is, since what goes to the family hangs on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from texts.normalise import reading

LONGEST_READ = 2000
MOST = 4
RELATIONS = ("guardian", "relative", "teacher", "student", "official", "body", "stranger", "other")
"""Values of `Accused.relation`. `guardian`: parents, step-parents, and who brings the child up (民法典 第27条)."""

_WHO = {
    "guardian": "爸爸|老爸|(?<![干姑姨])爸|妈妈|老妈|(?<![姑姨舅伯大干婶])妈|父亲|母亲|老爹|(?<![姑姨舅干大])爹|(?<![姑姨新师])娘(?!家)|继父|继母|后爸|后爹|后妈|后娘|养父|养母|父母|爸妈|监护人|家长",
    "relative": "爷爷|奶奶|外公|外婆|家公|家婆|叔叔|叔|伯伯|大伯|大爹|舅舅|舅妈|舅|婶婶?|大妈|干妈|姑父|姑爹|姑妈|姨父|姨爹|姨妈|表哥|堂哥|老表|哥哥|姐夫|干爹|亲戚",
    "teacher": "班主任|副?校长|园长|教官|教练|宿管|保育员|[语数英体]?(?:文|学|语|育)?老师|辅导员",
    "student": "同学|同桌|室友|高年级的?|学长|学姐",
    "official": "民警|警察|村主任|支书|村干部|镇长|乡长|干部|局长|公务员",
    "stranger": "陌生人|不认识的人|网友|房东|老板|邻居|保安|司机|社会上的人|混混",
}
_EVERYBODY = "|".join(f"(?P<{relation}>{words})" for relation, words in _WHO.items())
_HARM = "打(?![牌球工针字扫扮听算]|电话|游戏|招呼|110|12)|揍|骂|掐|踢|踹|扇|摸|亲|脱|强奸|强暴|糟蹋|欺负|猥亵|骚扰|锁|关|绑|饿|烫|砍|虐|侵犯|碰|逼|威胁|不给.{0,2}饭|不管|丢下|卖|收.{0,3}钱"
_OFTEN = "(?:也|又|总是?|老是?|还|就|都|天天|每天|一直|经常|昨天|昨晚|今天|喝醉了?|喝酒|酒后|把|要|想|会|有时候?|动不动|拿(?:着)?.{0,4}|对|用.{0,4}|[0-9一二三几多]{1,2}次){0,4}"
_WHOM = "(?:我|他|她|娃娃?|孩子|小孩|女儿|儿子|姑娘|弟弟|妹妹|人|学生|同学|女生|男生)"
_AND = "(?:(?:和|跟|、|还有)[\u4e00-\u9fff]{1,5}?)?"
_DOES = re.compile(f"(?=(?:{_EVERYBODY})(?:们)?{_AND}{_OFTEN}(?:{_WHOM}[\u4e00-\u9fff]{{0,3}})?(?:{_HARM}))")
_BY = re.compile(
    f"(?:被|着|遭|挨|让)(?:我|他|她|[^,，。;；!！?？]{{0,4}}的?)?(?:{_EVERYBODY})[^,，。;；!！?？]{{0,6}}(?:{_HARM})"
)
_DENIED = re.compile("(?:不是|没有|没|告诉|叫|找|问|求|陪|不敢让)(?:我|他|她)?(?:的)?$")
_LIVES_WITH = re.compile("同住|住一起|住在一起|一起住|住(?:在)?我们?家|跟(?:他|她)住")
PUBLIC = frozenset({"teacher", "official"})
"""Posts under 未成年人保护法 第62条 and 监察法."""
AT_HOME = re.compile("继父|继母|后爸|后爹|后妈|爸|妈|父|母|爹|娘")


@dataclass(frozen=True)
class AccusedSaid:
    """`relation`: one of `RELATIONS`; `lives_with`, `public_post`: None where the words do not say; `word`: as they are called."""

    relation: str
    word: str
    lives_with: bool | None = None
    public_post: bool | None = None


def read_accused(answers: Mapping[str, str]) -> list[AccusedSaid]:
    """Who harms, by the form's answers (question name to words); each relation once, at most `MOST`. Never raises."""
    words = "，".join(reading(answers[name][:LONGEST_READ]) for name in ("what", "more", "who") if answers.get(name))
    found: dict[str, AccusedSaid] = {}
    matches = [*_DOES.finditer(words), *_BY.finditer(words)]
    for match in sorted(matches, key=lambda match: match.start()):
        relation = next(name for name in _WHO if match.group(name))
        start, word = match.start(relation), match.group(relation)
        denied = match.re is _DOES and _DENIED.search(words[max(0, start - 6) : start])
        if relation not in found and not denied and len(found) < MOST:
            home = True if relation == "guardian" or _LIVES_WITH.search(words) else None
            found[relation] = AccusedSaid(relation, word, home, True if relation in PUBLIC else None)
    return list(found.values())
