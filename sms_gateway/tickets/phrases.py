"""How people answer a form: skipping, stopping, submitting, correcting, yes and no, a question in between."""

from __future__ import annotations

import re
from collections.abc import Sequence

from texts.normalise import normalise

_EDGES = re.compile(r"^[\s,，。.!！~、:：;；…]+|[\s,，。.!！~、:：;；…]+$")
_TAIL = "(?:吧|啊|呀|呢|了|哦|嘛|的|哈|噢|咯|嘞|喽)*"


_BACK = re.compile(
    r"(你好|您好|在吗|在不在|喂|hi|hello|哈喽|早上好|晚上好|下午好)*[,，。!！~\s]*我?(又|已经)?(回来|来)?了?(继续|接着)?(来|说|填|吧)?[,，。!！~?？\s]*"
)


def is_back(text: str) -> bool:
    """Whether the whole text only says that somebody is back ("我回来了", "继续", "在吗")."""
    return bool(normalise(text)) and _BACK.fullmatch(normalise(text)) is not None


_CALLS_OUT = re.compile(
    "(?:你好|您好|喂+|hi|hello|在|你|您|你们|还|有|没有?|人|在不|不在|在没|呢|吗|么|嘛|呀|啊|咋|怎么|还没|来|值班员|真人|多久|回|理|我|"
    "怎么还|快点|好了|几时|什么时候|[,，。.!！?？~\\s])+"
)


def calls_out(text: str) -> bool:
    """Whether the whole text only asks if somebody is there or comes ("你在吗", "人呢", "怎么还没人")."""
    words = normalise(text)
    return bool(words) and (
        _CALLS_OUT.fullmatch(words) is not None and re.search("在|人|喂|呢|回|理|好", words) is not None
    )


def bare(text: str) -> str:
    """The normal form without punctuation at its edges: what whole answers are compared with."""
    return _EDGES.sub("", normalise(text))


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(f"(?:{words}){_TAIL}")


_SKIP = _whole(
    "跳过|跳|略|略过|下一个|下一题|下一步|过|不知道|不晓得|认不得|认不到|不清楚|不太清楚|不确定|"
    "说不清|说不上来|记不得|记不清|忘记|忘|不记得|不想说|不方便说|不好说|不想讲|不告诉你|不填|没有|"
    "无|随便|都行|都可以|不用"
)
_SUBMIT = _whole(
    "就这些|就这点|就这么多|就这样|就是这些|提交|直接提交|交|交上去|可以|可以提交|没有了|没了|没别的|"
    "没有别的|没什么了|完|说完|写完|够|就到这|先提交|登记|登记就行|发出去|好了"
)
_CANCEL = _whole(
    "取消|取消登记|算|算了|算球|撤销|撤回|撤|放弃|作废|不用登记|不要登记|当我没说|"
    "(?:算了)?[,， ]?(?:我)?(?:不|不想|不要|不用)(?:投诉|举报|登记|填|弄|报|求助|办|告|反映|反应)|"
    "(?:算了)[,， ]?(?:我)?(?:不|不想|不要)(?:说|讲|要)"
)
_PAUSE = _whole(
    "(?:我)?(?:先)?(?:等会|等一会|等一下|等下|等哈|等等|待会|待会儿|等会儿|晚点|晚些|过会|过会儿|"
    "过一会|一会|一会儿|回头|改天|明天|下次|放学后?|下班后?)(?:我)?(?:再)?(?:来)?(?:说|聊|发|回|"
    "弄|填|讲|写|来|联系)?(?:你|你们)?|"
    "(?:现在|这会|这会儿)?(?:不方便|不得空|没空|没时间)(?:说|讲)?|先不说|不说|不想说了|不讲|先放着|"
    "先停|暂停|先这样|我先忙|先忙|我去上课|上课|(?:我)?(?:先)?(?:下|撤|睡)了?|再见|拜拜|拜|我走"
)
_SOMEBODY = _whole("有人来|来人|有人|他来|她来|他们来|我爸来|我妈来|他回来|她回来")
_CORRECTION = re.compile(
    r"(?:(?:哦|啊|呃|额|唉|不好意思|对不起|抱歉|等一下|等等|刚才|刚刚|前面|上面|上一[条题个句]|我|那个)[,，\s]*)*"
    r"(?:县|县名|地方|地点|年龄|岁数|时间|人)?(?:不对|错了|(?:说|写|打|发|搞|记|弄|选|按|点|填|回)错|更正|改一下|改成|应该是|应该选|纠正)"
    r"(?:了|:|：|,|，|。|!|！|\s|不对|应该是|应该选|应该|改成|的是|是|的|选|回|按)*"
)
_CHOSE_WRONG = re.compile("(?:选|按|点|回)错")
_BUT_NOT = re.compile(r"(.{1,20}?)[,，。;；\s]*(?:不是|不在|而不是)(.{1,20})")
_WISHING = re.compile(
    "希望|想|要(?!多久|几|不要)|让|退|赔|道歉|处理|解决|换|停|整改|查|管|还给|补|道个歉|开除|取消|恢复"
)
_FILLER = _whole(
    "好|好的|行|嗯+|哦+|噢|ok|okay|收到|知道|明白|谢谢|谢谢你|谢谢您|多谢|感谢|哈+|嘿+|辛苦|没事|对不起|不好意思"
)
_ANY_QUESTION = re.compile(
    "[?？]$|(?:吗|么|嘛)$|怎么(?:办|弄|申请|说|回事)|为什么|为啥|凭什么|多久|多少|什么时候|几时|会不会|能不能|可不可以|有没有用|"
    "干什么|干嘛|搞啥|什么意思|问这个|谁会看"
)
_NOT_BUT = re.compile(r"(?:不是|不在)(.{1,20}?)[,，。;；\s]*(?:而是|是在|是|在)(.+)")

_YES_NO = {
    "danger": (
        "有|有的|有人受伤|受伤|有危险|有点危险|危险|很危险|是|是的|嗯|不安全",
        "没|没有|没得|没事|无|不|不是|安全|没有危险|没有人受伤|没人受伤|现在没有|暂时没有|还好|不危险|目前没有",
    ),
    "still": (
        ("还在|在|还这样|还是|还是这样|还有|一直|一直在|一直这样|是|是的|嗯|有|天天|每天|还在继续|现在还在|现在还"),
        "没有了|没了|没有|没|不了|不在了|停了|已经没有|现在没有|不是|结束|好了|解决了",
    ),
    "secret": (
        "要|要的|要保密|保密|需要|是|是的|嗯|对|必须|别说|不要说|不能说|别告诉他们|不要告诉他们|别让他们知道",
        "不用|不要|不需要|不必|没关系|无所谓|可以公开|否|不|不保密|都可以|不用保密",
    ),
    "contact": ("短信|发短信|发信息|信息|发消息|消息|写字", "电话|打电话|打|可以打|打我电话|通话"),
    "again": ("能|可以|行|好|嗯|能问|可以问|是|问|随时", "不能|不行|不要|别|别问|不方便|不想|不可以|不"),
    "police": (
        "打|打过|报|报警|报过|已经打|已经报|报警了|报了警|打了110|是|嗯|有",
        "没|没有|没打|还没|没报|还没有|还没打|没有打|不敢打|不",
    ),
    "confirm": (
        (
            "对|对的|是|是的|嗯|没错|对提交|提交|没问题|正确|确认|好|好的|行|可以|ok|就这样|没有了|就这些|"
            "好了|可以了|没得错"
        ),
        "要改|改|不对|错|不是|有错|不|不行|修改|要修改",
    ),
    "fix": ("什么事|事情|事", "哪个县|县|地方|地点|在哪"),
}
_THIRD = {
    "contact": "先别找|别找我|不要找我|先别联系|别联系|不要联系|先不要找我|都不要|不用找|不要",
    "fix": "再补一句|补一句|补充|补|别的|其他|其它",
}
_UNSURE = "不知道|不晓得|说不清|不清楚|不确定|认不得|不好说|可能|可能有|好像|也许|看情况"
LONGEST_CHOICE = 24
"""Characters of a plain yes or no; anything longer is a story."""
_UNIT_AFTER_DIGIT = re.compile(r"^\s*(?:岁|个|点|月|号|天|年|块|元|次|人|米|栋|楼|班|中|小|千|百|万|周|时|分)")

_POLICY = re.compile(
    "多少钱|领多少|能领|怎么领|怎么办理|怎么申请|如何申请|如何办|什么材料|哪些材料|要什么证|什么条件|"
    "条件是|政策|规定|补助|补贴|低保|孤儿|法律|合法|违法|犯法|"
    "几岁(?:可以|能|才)|多久|去哪[里儿]?(?:办|申请|领|报)|到哪[里儿]?(?:办|申请|领|报)|找哪个部门|"
    "归谁管|哪个部门|电话是多少|算不算|有没有.{0,8}(?:补助|补贴|政策|规定)|要不要钱|收费吗|保密吗|"
    "会保密"
)
_ASKING = re.compile(
    r"[?？]|(?:吗|么|呢|多少钱?|多久|怎么办理|怎么申请|如何办理|什么材料|什么条件|哪个部门|归谁管|"
    r"没得|不有)\s*$|^(?:请问|想问|问一下|问下|咨询|我想问|打听)"
)
_ASKED_OUTRIGHT = re.compile(r"请问|想问|问一下|问下|咨询|打听|领多少|多少钱[?？吗]?$|怎么申请|怎么领")


def is_filler(text: str) -> bool:
    """好的, 嗯, 谢谢: no answer to anything that is asked in words."""
    return _FILLER.fullmatch(bare(text)) is not None


def is_wishing(text: str) -> bool:
    """Whether this says what should be done, also where it is put as a question (能不能让他们退钱)."""
    return _WISHING.search(bare(text)) is not None


def is_asking(text: str) -> bool:
    """Whether this asks something back, of whatever kind; used where an answer is a digit, a place or a few words."""
    words = bare(text) if not normalise(text).endswith(("?", "？")) else normalise(text)
    return 4 <= len(words) <= 80 and _ANY_QUESTION.search(words) is not None


def chose_wrong(text: str) -> bool:
    """选错了, 按错了."""
    return _CHOSE_WRONG.search(bare(text)) is not None


def is_skip(text: str) -> bool:
    """跳过, 不知道, 不想说."""
    return _SKIP.fullmatch(bare(text)) is not None


def is_submit(text: str) -> bool:
    """就这些, 提交, 可以了, 没有了."""
    return _SUBMIT.fullmatch(bare(text)) is not None


def is_cancel(text: str) -> bool:
    """取消, 算了, 算了不投诉了."""
    return _CANCEL.fullmatch(bare(text)) is not None


def is_pause(text: str) -> bool:
    """等会再说, 现在不方便."""
    return _PAUSE.fullmatch(bare(text)) is not None or is_somebody_near(text)


def is_somebody_near(text: str) -> bool:
    """有人来了: the line must fall silent at once."""
    return _SOMEBODY.fullmatch(bare(text)) is not None


def correction_of(text: str) -> str | None:
    """What follows 不对, 写错了 …; "" when nothing follows, None when the text does not begin so."""
    match = _CORRECTION.match(bare(text))
    return bare(text)[match.end() :].strip() if match else None


def says_not_but(text: str) -> tuple[str, str] | None:
    """不是打，是骂; 是威信不是镇雄: (what it is not, what it is); None when the text does not speak so."""
    if match := _NOT_BUT.match(bare(text)):
        return match.group(1), match.group(2)
    match = _BUT_NOT.fullmatch(bare(text))
    return (match.group(2), match.group(1)) if match else None


def looks_like_question(text: str, *, telling: bool = False) -> bool:
    """Whether this asks about policy or law. Careful: a story is no question.

    `telling`: the person has just been asked what happened, so only outright asking counts.
    """
    words = normalise(text)
    if not 5 <= len(words) <= 80 or not _POLICY.search(words) or not _ASKING.search(words):
        return False
    return not telling or bool(_ASKED_OUTRIGHT.search(words))


def is_plain_answer(text: str) -> bool:
    """Whether the whole text only answers a question that was asked (不知道, 有, 没有了, 就这些): no news by itself."""
    words = bare(text)
    if is_skip(words) or is_submit(words) or is_filler(words):
        return True
    return any(re.fullmatch(f"(?:{said}){_TAIL}", words) for answers in _YES_NO.values() for said in answers)


def read_option(name: str, options: Sequence[str], text: str) -> tuple[int, str] | None:
    """Which option (1, 2, 3) the text chooses and what it says beside; None when it chooses none.

    Digits, the words of the option, plain yes and no; "没有了 上周停的" chooses 2 and says "上周停的".
    """
    answer = bare(text)
    digit = re.match(r"(?:选|回|是)?\s*([1-9])(?!\d)[、.,，。:：\s]*(.*)", answer, re.DOTALL)
    if digit and int(digit.group(1)) <= len(options) and not _UNIT_AFTER_DIGIT.match(digit.group(2)):
        chosen, rest = int(digit.group(1)), digit.group(2)
        label = options[chosen - 1]
        return chosen, bare(rest.removeprefix(label).removeprefix(label[:1]) if rest.startswith(label[:1]) else rest)
    for chosen, label in enumerate(options, start=1):
        if answer == normalise(label):
            return chosen, ""
    first, *others = re.split(r"[,，。.;；!！\s]+", answer, maxsplit=1)
    for candidate, rest in ((answer, ""), (first, others[0] if others else "")):
        found = _by_word(name, options, candidate)
        if found:
            return found, bare(rest)
    return None


def _by_word(name: str, options: Sequence[str], answer: str) -> int | None:
    if len(answer) > LONGEST_CHOICE:
        return None
    yes, no = _YES_NO.get(name, ("", ""))
    for chosen, words in ((1, yes), (2, no), (3, _THIRD.get(name, "" if name in ("confirm", "contact") else _UNSURE))):
        said_twice = f"(?:(?:{words}){_TAIL}){{1,3}}"  # 嗯对的, 没有没有
        if words and chosen <= len(options) and re.fullmatch(said_twice, answer):
            return chosen
    return None
