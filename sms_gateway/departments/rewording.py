"""The words of a dispatched copy: nothing in them gives away who told the hotline. Pure, and linear in the text.

PRACTICE section 9: exact times become 近期, "邻居说", "班主任说", "女儿自己说" go, and so do numbers, names and what the
writer says of itself. What is left says what happens to the child, and where. When in doubt a word goes: the original
stays with the hotline, and the unit can ask.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from texts.normalise import clean

from . import speakers
from .speakers import CHILD, HOUSEHOLD, INFORMANT, ROLE, SURNAME

if TYPE_CHECKING:
    from opencc import OpenCC

LONGEST_READ = 20_000
NOTHING_LEFT = "（内容涉及反映人，已略去，可向热线值班员了解）"
NUMBER = "（号码略）"
SOMEBODY = "某某"
RECENTLY = "近期"


@dataclass(frozen=True)
class Reporter:
    """What is known of who told it: each of these words is taken out wherever it stands, whatever else it could mean."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    """Phone, ID, account; found in any spacing."""
    words: tuple[str, ...] = ()
    """Post, relation, workplace as it was said ("语文老师", "镇雄一中")."""


NOBODY = Reporter()

_FOREIGN = (
    (re.compile(r"\b(?:my|our|mine|ours)\b", re.IGNORECASE), "the person's"),
    (re.compile(r"\b(?:I|me|us|we|myself)\b(?:'m\b)?", re.IGNORECASE), "the person"),
    (re.compile(r"\bwo(?: ?men)?\b", re.IGNORECASE), "当事人"),
)
"""What the writer says of itself in English or in pinyin."""
_SPLIT = re.compile(r"([。！？!?；;，,\n、]+|\s{1,9})")
_D = "0-9零〇一二三四五六七八九幺"
_KEPT_NUMBER = re.compile(r"(?:警情|受案|接警|报警|回执|编号|案号|文号|工单)[^0-9]{0,6}[0-9]{4,20}")
_LONG_NUMBER = re.compile(rf"(?:\+?86[\s-]?)?[{_D}](?:[\s\-—.·()（）]{{0,2}}[{_D}xX]){{6,24}}")
_ACCOUNT = re.compile(
    r"((?:微信|薇信|威信|vx|wx|v信|qq|扣扣|企鹅|抖音|快手|支付宝)(?:号码?|账号))[:：是\s]{0,3}[0-9A-Za-z_\-]{4,24}|((?:微信|薇信|vx|wx|qq|扣扣)群?)[:：是\s]{1,3}[0-9A-Za-z_\-]{4,24}|[\w.+-]{1,40}@[\w-]{1,30}(?:\.[\w-]{1,20}){1,3}",
    re.IGNORECASE | re.ASCII,
)
_CALLED = re.compile(
    rf"((?:本人|我|他|她|娃|孩子|女儿|儿子|学生|弟弟?|妹妹?|哥哥?|姐姐?|同学|老师|男的|女的)?(?:的)?(?:名叫|叫做|叫作|名字[叫是:：]{{0,2}}|姓名[叫是:：]{{0,2}}|大名|小名|(?<![大喊哭惨嚎尖号])叫))\s*"
    rf"(?!当事人|[了他她你我人警救不爸妈过醒来去着什做嫂姐哥弟妹叔姨谁车出家老得苦骂一这那个])"
    rf"({SURNAME}[\u4e00-\u9fff]{{1,2}}?(?=$|[^\u4e00-\u9fff]|[今在是的住家现才打被说刚已来去上读有和跟])|{SURNAME}[\u4e00-\u9fff]{{2}}|[\u4e00-\u9fff]{{2,4}}?(?=$|[^\u4e00-\u9fff]|[今在是的住现才打被说])|[\u4e00-\u9fff]{{2}})"
)
_SURNAMED = re.compile(rf"(本人|我|免贵)姓\s*{SURNAME}")
_TITLED = re.compile(rf"{SURNAME}(?=(?:某某?|老师|医生|大夫|主任|校长|园长|护士|警官|支书|书记|先生|女士|阿姨|叔叔))")

_INTRODUCES = re.compile(
    r"^(?:你们?好|您好|喂|老师好|那个|就是)?(?:(?:我们?|本人|俺|咱们?)(?:也|就|现在|其实)?(?:是|叫|姓|名叫|在[^打骂]{0,12}(?:上班|工作|教书|当|任教|值班|住))|作为|身为|(?:我|本人)(?:就)?(?:住|当)(?!院|校))"
)
_SELF_OF_CHILD = re.compile(rf"^(?:我|本人)(?:今年|现在|是|才)*(?:个)?(?:[0-9一二三四五六七八九十]{{1,3}}|{CHILD})")
_WISHES = re.compile(
    r"^(?:请|求求?|麻烦|希望|但是?|可以|你们|能不能|千万|不过|只要|我|还有|另外|一定|都|,|，)*(?:不要|别|莫|不能|请勿|勿)[^,，。打骂]{0,6}(?:说|讲|提|透露|暴露|告诉|让[^,，。]{1,8}知道|泄露|写)"
    r"|保密|匿名|实名|不留名|^(?:可以|请|麻烦|能|有空)?(?:打|回|接|发)[^,，。打]{0,4}(?:我|本人)[^,，。]{0,4}(?:电话|短信|信息)|^(?:请|可以|有事|随时|有问题|需要|再|直接|你们|,)*(?:联系|问|找)(?:我|本人)(?:$|就|吧|了解|核实)"
    r"|怕(?:他们?|她们?|人家|被)?[^,，。]{0,4}报复(?:我|$)|(?:被|让|给)[^,，。]{0,6}(?:知道|晓得)[^,，。]{0,4}是我|^(?:这是)?我(?:的)?(?:电话|手机|号码|联系方式|身份证|名字)"
)
_LIVES_BESIDE = re.compile(
    r"(?:我|俺|咱|本人)们?家?(?:就)?(?:是|住在?|在)(?:他|她|孩子|那)?们?家?的?(?:隔壁|对门|对面|楼[上下]|旁边|附近|同一)"
)
_THREAT = re.compile(
    "要打|打死|弄死|整死|搞死|杀|砍|不准|不许|不让|不要(?:告诉|跟|和)|敢|再.{0,6}就|报复|开除|赔|交钱|滚|卖掉"
)
_SAYS = "(?:亲口|自己|偷偷|哭着|都|也|才|后来|刚才|刚刚|昨天|昨晚|今天|回来|回家){0,4}(?:(?:跟|和|给|对|同|向)(?:我们?|本人|俺|老师|家里|班主任)(?:说|讲|反映|哭诉|摆)|告诉(?:我们?|本人|俺|老师|家里|班主任)(?:说|讲)?|说的?是|说|讲|反映|透露|提到|哭诉|摆)(?:了|过(?![年去来节])|的|起)?[:：]?"
_SOURCE = re.compile(
    rf"(?:我?(?:听|据|听到|听见|从))?(?:我们?|我家|他们?|她们?|咱|俺)?(?:的|家|班)?(?:{INFORMANT})(?:里|那里)?(?:听)?{_SAYS}"
)
_OFTEN = r"(?:亲眼|亲耳|亲自|刚才|经常|老是|总是|天天|又|也|都|今天|昨天|昨晚|在[^,，。]{1,8}(?:上|里|边|门口|家)){0,6}"
_WRITER = r"(?:(?:我们?|本人|俺|咱)|(?:^|(?<=[,，。;；:：!！?？、\s])))"
"""The writer, or nobody named: "教师发现" and "孩子看到" are somebody else's."""
_SAW = re.compile(
    _WRITER + _OFTEN + r"(?:看到|看见|听到|听见|瞧见|目睹|撞见|发现|得知|了解到|注意到)(?:了|过)?(?!不|没)"
)
_HEARSAY = re.compile(_WRITER + _OFTEN + r"(?:听说|据说)(?:了|过)?[:：]?")
_BELIEVES = re.compile(
    r"(?:我们?|本人|俺|咱)(?:就|也|都|很|有点)?(?:怀疑|觉得|感觉|认为|估计|猜)(?:他|她)?(?:们)?(?:是|说)?(?=[^,，。])|怀疑(?:是)?(?=被|遭)"
)
_EVERY = "(?<![每逢第])"
_DAYPART = "(?:凌晨|清早|清晨|一大早|大清早|早上|早晨|早|上午|中午|正午|下午|傍晚|晚上|夜里|半夜|深夜|晚|夜)"
_NUM = "(?:[0-9]{1,2}|[一二两三四五六七八九十]{1,3})"
_CLOCK = rf"(?:[0-9]{{1,2}}[:：][0-9]{{2}}(?:[:：][0-9]{{2}})?|(?:[0-9]{{1,2}}|(?<![有第快慢早晚好差一])[二两三四五六七八九十]{{1,3}}|(?<={'上午'})一|(?<={'下午'})一|(?<={'晚上'})一|(?<={'凌晨'})一|(?<={'中午'})一)点(?![名子心头])(?:钟|半|多钟?|一刻|三刻|{_NUM}分?|左右)?)"
_DAY = (
    rf"(?:大?前[天日]|昨[天日晚夜]|今[天日早晚]|(?:上上?|这|本|前)个?(?:星期|礼拜|周)[一二三四五六日天末]?|{_EVERY}(?:星期|礼拜|周)[一二三四五六日天末](?!岁)"
    rf"|(?:19|20)[0-9]{{2}}[年./-](?:[0-9]{{1,2}}[月./-])?(?:[0-9]{{1,2}}[日号]?)?|{_EVERY}{_NUM}月(?:份|{_NUM}[日号]?|初|底|中旬|上旬|下旬)?(?!大)|{_EVERY}{_NUM}[日号](?![楼栋院线门店房床])"
    rf"|(?:上|这|本|前)个?(?:月|学期)(?:初|底|中旬|{_NUM}号)?|{_NUM}(?:多)?(?:个)?(?:天|周|星期|礼拜|月|小时|分钟)(?:之|以)?前|(?:前|这)[几两]天|刚才|刚刚|方才|前不久|不久前"
    rf"|(?:国庆|中秋|元旦|春节|过年|五一|六一|清明|端午|寒假|暑假|开学|期中考?|期末考?|火把节|泼水节)(?:节|那[天日]|当天|期间|时候?|前|后|以后|之后|放假)?|第{_NUM}节课(?:后|间|上|时候?)?|大?课间|晚自习(?:后|时候?|上)?)"
)
_TIME = re.compile(
    rf"(?:在|于|大概|大约|差不多)?(?:(?:{_DAY}|{_CLOCK})(?:的(?=[0-9早晚凌半夜清]|上午|下午|中午)|那天|左右|大概|大约|许|时候|(?:、|到|至|和|-|~)(?=[0-9一二两三四五六七八九十早晚上下凌半]))?(?:{_DAYPART}|{_CLOCK}|{_DAY}|左右|许|的?时候|那天){{0,8}}|(?<![每天]){_DAYPART}(?:大概|大约)?{_CLOCK}(?:左右|的时候)?)"
)
_LONG_AGO = re.compile(
    rf"(去年|大?前年|(?:{_NUM}|几|好几)年(?:之|以)?前)(?:{_NUM}月份?(?:{_NUM}[日号])?|[上下]半年|年底|年初|[春夏秋冬]天)?(?:{_DAYPART})?"
)
_HABIT = re.compile(
    rf"每(?:个|逢)?(?:星期|礼拜|周)[一二三四五六日天末](?:的)?(?:{_DAYPART})?(?:{_CLOCK})?|每[天日](?:{_DAYPART})?{_CLOCK}"
)
_ON_A_DAY = re.compile(_DAY)
_TIMETABLE = re.compile("到校|起床|放学|上课|下课|营业|开门|关门|睡觉|才让|就要|下班|上班|晚自习")
"""An hour beside these is a rule of the place, which is the complaint, and no moment."""
_TIDY = (
    (re.compile(r"(?:近期[的、,，\s]{0,2}){2,9}"), RECENTLY),
    (re.compile(r"(?:当事人的?){2,9}"), "当事人"),
    (re.compile(r"(?:据反映[:：,，\s]{0,2}){2,9}"), "据反映，"),
    (re.compile(r"据反映(?=[^,，:：])"), "据反映，"),
    (re.compile(r"^[,，、;；:：。.!！?？\s]+"), ""),
    (re.compile(r"([,，、;；])[,，、;；\s]+"), r"\1"),
    (re.compile(r"[,，、;；\s]+([。！？!?])"), r"\1"),
    (re.compile(r"[,，、;；\s]+$"), ""),
)


def reword(words: str, reporter: Reporter = NOBODY, *, keep_times: bool = False) -> str:
    """`words` without what tells on the reporter; never raises, and is not empty.

    `keep_times`: for the police in the red and orange lanes, to whom the hour is evidence.
    """
    text = _folded(words)
    if not text.strip():
        return ""
    kept = "".join(_clauses(speakers.POST_SIGNS.sub("", _without_known(text, reporter))))
    kept = _numbers_masked(kept)
    kept = _names_masked(kept)
    kept = _sources_dropped(kept)
    if not keep_times:
        kept = _times_blurred(kept)
    kept = _writer_dropped(kept)
    kept = _without_known(kept, reporter)
    for pattern, instead in _TIDY:
        kept = pattern.sub(instead, kept)
    return kept if re.search(r"[\w]", kept) else NOTHING_LEFT


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


def _folded(words: str) -> str:
    """Simplified, with full-width digits and letters as plain ones; Chinese punctuation stays."""
    text = _converter().convert(clean(words)[:LONGEST_READ])
    return "".join(
        unicodedata.normalize("NFKC", sign) if ("！" < sign < "～" and sign.isalnum()) or sign.isdigit() else sign
        for sign in text
    )


def _without_known(text: str, reporter: Reporter) -> str:
    for number in sorted(filter(None, (_digits(n) for n in reporter.numbers)), key=len, reverse=True):
        text = re.sub(r"[\s\-—.·()（）]{0,2}".join(map(re.escape, number)), NUMBER, text, flags=re.IGNORECASE)
    for name in _longest_first(reporter.names):
        text = text.replace(name, SOMEBODY)
    for word in _longest_first(reporter.words):
        text = text.replace(word, "")
    return text


def _digits(number: str) -> str:
    """What is dialled; a number of the mainland without its +86, so that it is found either way."""
    plain = "".join(sign for sign in number if sign.isalnum())
    return plain[2:] if plain.startswith("86") and len(plain) == 13 else plain


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted({word.strip() for word in words if word.strip()}, key=len, reverse=True)


def _clauses(text: str) -> list[str]:
    """The text without clauses in which the writer only presents itself or says how it wants to be treated."""
    pieces = _SPLIT.split(text)
    kept: list[str] = []
    for clause, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        presents = _INTRODUCES.match(clause.strip()) and not _SELF_OF_CHILD.match(clause.strip())
        if (
            (speakers.POST_ALONE.fullmatch(clause.strip()) and not kept)
            or (presents and not HOUSEHOLD.search(clause))
            or _WISHES.search(clause)
            or _LIVES_BESIDE.search(clause)
        ):
            if kept and "\n" in mark:
                kept.append("\n")
            continue
        kept += [clause, mark]
    return kept


def _numbers_masked(text: str) -> str:
    text = _ACCOUNT.sub(lambda match: (match.group(1) or match.group(2) or "") + NUMBER, text)
    spared = [match.span() for match in _KEPT_NUMBER.finditer(text)]

    def mask(match: re.Match[str]) -> str:
        inside = any(start <= match.start() and match.end() <= end for start, end in spared)
        return match.group() if inside else NUMBER

    return _LONG_NUMBER.sub(mask, text)


def _names_masked(text: str) -> str:
    text = _CALLED.sub(lambda match: match.group(1) + SOMEBODY, text)
    text = _SURNAMED.sub(r"\1姓某", text)
    return _TITLED.sub("某", text)


def _sources_dropped(text: str) -> str:
    """ "邻居说他…" → "据反映，他…"; a threat keeps who made it: "他爸说再哭就打死"."""

    def drop(match: re.Match[str]) -> str:
        after = text[match.end() : match.end() + 14]
        told = ROLE.search(match.group()) or re.match("我?(?:听|据|从)", match.group())
        return match.group() if _THREAT.search(after) and not told else "据反映，"

    text = _HEARSAY.sub("据反映，", _SOURCE.sub(drop, text))
    return _SAW.sub("", _BELIEVES.sub("疑似", text))


def _times_blurred(text: str) -> str:
    text = _HABIT.sub("经常", text)
    text = _LONG_AGO.sub(r"\1", text)

    def blur(match: re.Match[str]) -> str:
        told = text[max(0, match.start() - 6) : match.end() + 12]
        return match.group() if _TIMETABLE.search(told) and not _ON_A_DAY.search(match.group()) else RECENTLY

    return _TIME.sub(blur, text)


def _writer_dropped(text: str) -> str:
    """Whose child it is, where the writer lives and what is left of 我."""
    text = speakers.MY_SPOUSE.sub("孩子的家人", text)
    text = speakers.MY_CHILD.sub("孩子", text)
    text = speakers.MY_CHILD_ELSE.sub("一个孩子", text)
    text = speakers.MY_NEIGHBOUR.sub("有户人家", text)
    text = speakers.MY_CLASS.sub("班上", text)
    text = speakers.MY_PLACE.sub(r"\1", text)
    text = re.sub(r"(?:我|俺|咱)们?家(?:里)?", "家里", text)
    text = re.sub(
        r"(?:我|俺|咱)们?(?:的)?(?=(?:爸|妈|父|母|爹|娘|继父|继母|后爸|后妈|爷|奶|外公|外婆|舅|姑|姨|叔|伯|老倌))",
        "孩子的",
        text,
    )
    text = re.sub(r"我们|咱们|俺们|我自己|本人|我|俺|咱", "当事人", text)
    for pattern, instead in _FOREIGN:
        text = pattern.sub(instead, text)
    return text
