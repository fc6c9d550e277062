"""Which place of Yunnan a text speaks of; places elsewhere are told apart. Pure, and linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sms_gateway.errors import NotFound
from sms_gateway.placenames import ABROAD, Gazetteer, Kind, Name, Region, gazetteer, short_of
from sms_gateway.towns import Town
from texts.normalise import normalise

__all__ = [
    "ABROAD",
    "Place",
    "Region",
    "RegionNotFound",
    "full_name",
    "get_region",
    "list_regions",
    "recognise",
    "short_name",
    "without_places",
]

LONGEST_READ = 20_000
"""Characters of a text that are looked at; no door lets longer ones in."""


REACH_OF_PROVINCE = 4
"""Characters between a place elsewhere and a town of it: 广东省太平镇, 贵州的新街镇."""
MOST_CANDIDATES = 5
"""More counties are no question any more: which county it is, is asked openly."""


class RegionNotFound(NotFound):
    sentence = "没有这个行政区划代码。"


@dataclass(frozen=True)
class Place:
    """What a text says about where. `candidates`: counties to choose from when it is not clear which one is meant."""

    county: Region | None = None
    prefecture: Region | None = None
    candidates: tuple[Region, ...] = ()
    elsewhere: str | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class _Hit:
    name: Name
    word: str
    start: int
    end: int


_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛阎余潘杜戴夏钟汪田姜范廖邹熊陆郝孔崔康邱秦顾侯邵孟雷钱汤尹黎贺赖龚"
)
_CALLED = re.compile(r"(?:名叫|叫|名字是|名字|姓名|取名)[:：]?$")
_ORIGIN_BEFORE = re.compile(
    r"(?:老家|户口|户籍|籍贯|祖籍|从|来自|嫁到|离开|回不去|原来在|以前在|之前在|本来在)(?:是|在)?$"
)
_ORIGIN_AFTER = re.compile(r"^(?:人|妹|媳妇|老婆|新娘|户口|籍|话|口音|过来|来的|菜|老乡)")
_HERE_BEFORE = re.compile(r"(?:在|到|来|去|送到|带到|骗到|卖到|拐到|困在|关在|回到|住|到了|来了|位于)了?$")
_RESIDENCE_BEFORE = re.compile(r"(?:户口|户籍|籍贯|祖籍|老家)(?:本)?(?:还)?(?:是|在)?$")
_PLANNED_BEFORE = re.compile(
    r"(?:要|想|叫|让|喊|说|准备|打算|答应|带)[^,，。!！\s被骗拐卖]{0,4}(?:去|克|到|回)$|(?:知道|新闻说|听说|网上说|离开|来自|从)$"
)
_TAKEN = re.compile("被|骗|拐|卖|抓|关")
_DENIED_BEFORE = re.compile(r"(?:不是|不在|没在|并非|不是在|没去|又不是|不属于)(?:说|指)?$")
_STREET_AFTER = re.compile(
    r"^(?:[东西南北中]?路|大?街|大道|大厦|饭店|酒店|宾馆|餐馆|面馆|小吃|烤鸭|商场|商城|牌|产的|小区|银行|出版社|大学|火车|牛奶|卷烟|籍)"
)
_RELATIVE_AWAY = re.compile(
    r"(?:爸|妈|父|母|爹|娘|爸妈|爸爸|妈妈|父母|大人|家长|老公|老表|哥|姐|儿子儿媳|姑娘姑爷|他们|她们|两口子)[^,。!?;，、\s我娃孩]{0,8}$"
)
_WORD_WEIXIN = re.compile(r"(?:[加发用刷扫聊看有没树立失]|我的|他的|她的|你的|个)$")
_WEIXIN_AFTER = re.compile(r"^(?:号|群|上|聊|转账|红包|发|好友|里|给|扫|付|支付|加|视频|语音|朋友圈|联系)")
_SUFFIX_AFTER = re.compile(
    r"^(?:的?(?:一中|二中|三中|四中|一小|二小|民中|中学|小学|县城|城区|城里|民族|职中|职高|人民医院|那边|这边|这里|那里|[^,。!?\s]{0,4}(?:乡|镇|村|街道|学校|幼儿园)))"
)
_FILLER = re.compile(
    r"(?:我们|我|你|他|她|家|娃|孩子|学校|人|就|现在|住|是|在|的|那边|这边|这里|那里|县城|里|说|对|"
    r"嗯|哦|好|呢|啊|吧|哈|了|应该|大概|好像|不对|错了|写错|云南省?|[\s,，。.!！?？、:：~()（）])"
)


_SPLITS_A_COUNTY = re.compile("镇(?:雄|康|沅)")
"""和平镇雄 is no 和平镇."""


def _scan(text: str, names: Gazetteer) -> list[_Hit]:
    """The names in `text`, from left to right, the longest at each place; masks are read over."""
    hits: list[_Hit] = []
    index = 0
    while index < len(text):
        for word, name in names.names.get(text[index : index + 2], ()):
            if text.startswith(word, index) and not _SPLITS_A_COUNTY.match(text, index + len(word) - 1):
                if name.plain and name.town and not _may_be_short(name.town, text, index, index + len(word), hits):
                    continue  # 石头, 国庆, 平和: what begins here may still be a longer name's end
                if name.kind is not Kind.MASK:
                    hits.append(_Hit(name, word, index, index + len(word)))
                index += len(word) - 1
                break
        index += 1
    return hits


def _may_be_short(town: Town, text: str, start: int, end: int, hits: Sequence[_Hit]) -> bool:
    """Whether a town's short form stands where one can: behind another name, before a school, or as the whole answer."""
    if hits and hits[-1].end == start:
        return True
    if town.word:
        return False
    return bool(_SUFFIX_AFTER.match(text[end : end + 12])) or _is_whole_answer(start, end, text)


def _stands(hit: _Hit, text: str, hits: Sequence[_Hit], names: Gazetteer) -> bool:
    """Whether the word is a place here, and not a person, a street or an ordinary word."""
    before, after = text[max(0, hit.start - 12) : hit.start], text[hit.end : hit.end + 12]
    if _DENIED_BEFORE.search(before):
        return False
    if hit.name.kind is Kind.ELSEWHERE:
        return not (_STREET_AFTER.match(after) or _ORIGIN_AFTER.match(after) or _is_far(before))
    if hit.name.town is not None:
        return _is_town(hit, hit.name.town, text, hits, names)
    if not hit.name.plain:
        return True
    if (
        hit.word == "威信"
        and (_WORD_WEIXIN.search(before) or _WEIXIN_AFTER.match(after))
        and not _SUFFIX_AFTER.match(after)
    ):
        return False
    if hit.word in names.person_names and _is_person(hit, before, after, hits):
        return False
    return hit.word not in names.strict or _is_meant(hit, text, after, hits, names)


def _is_town(hit: _Hit, town: Town, text: str, hits: Sequence[_Hit], names: Gazetteer) -> bool:
    """A town's full name, unless it is one of another province; a short one behind its county, before a school, or alone."""
    behind = [other for other in hits if 0 <= hit.start - other.end <= REACH_OF_PROVINCE and other is not hit]
    if any(other.name.kind is Kind.ELSEWHERE for other in behind):
        return False
    if not town.short:
        return not text.startswith(("下", "亲", "愁", "压", "定", "痛", "静"), hit.end)
    touching = {_prefecture_of(other, names) for other in behind if other.end == hit.start}
    if any(names.regions[county].parent_adcode in touching for county in town.counties):
        return True
    return not touching and not _CALLED.search(text[max(0, hit.start - 6) : hit.start])


def _is_whole_answer(start: int, end: int, text: str) -> bool:
    return len(text) <= 24 and not _FILLER.sub("", text[:start] + text[end:])


def _is_far(before: str) -> bool:
    """Whether a place elsewhere is only where a parent works, where papers lie, or where somebody wants to go."""
    if _RELATIVE_AWAY.search(before) or _RESIDENCE_BEFORE.search(before):
        return True
    return bool(_PLANNED_BEFORE.search(before)) and not _TAKEN.search(before)


def _is_person(hit: _Hit, before: str, after: str, hits: Sequence[_Hit]) -> bool:
    if _CALLED.search(before):
        return True
    touching = any(other.end == hit.start for other in hits)
    return bool(before) and before[-1] in _SURNAMES and not touching and not after.startswith(("县", "市", "区"))


def _is_meant(hit: _Hit, text: str, after: str, hits: Sequence[_Hit], names: Gazetteer) -> bool:
    """An ordinary word that is a county here: its prefecture is named, it is the whole answer, or a school or town follows."""
    parent = names.regions[hit.name.value].parent_adcode
    if any(_prefecture_of(other, names) == parent for other in hits if other is not hit and other.name.town is None):
        return True
    if any(other.name.town and other.start == hit.end and hit.name.value in other.name.town.counties for other in hits):
        return True
    if _SUFFIX_AFTER.match(after):
        return True
    if _is_whole_answer(hit.start, hit.end, text):
        return True
    return bool(re.search(r"(?:我是|家在|我在|人在|住在|老家)$", text[max(0, hit.start - 4) : hit.start])) and bool(
        re.match(r"(?:的|县|人|$|[\s,，。.!！?？])", after)
    )


def _prefecture_of(hit: _Hit, names: Gazetteer) -> str | None:
    if hit.name.kind is Kind.ELSEWHERE:
        return None
    if hit.name.town is not None:
        parents = {names.regions[county].parent_adcode for county in hit.name.town.counties}
        return parents.pop() if len(parents) == 1 else None
    region = names.regions[hit.name.value]
    return region.adcode if region.level == "prefecture" else region.parent_adcode


def recognise(text: str) -> Place:
    """The place `text` speaks of; never raises.

    A county wins over its prefecture, a place the person is in ("现在在威信") over one they come from ("镇雄的"), a
    Yunnan place over one elsewhere unless the person says to be there. Two counties left: both are `candidates`.
    A name that is prefecture and county alike gives the prefecture, with the county as the one candidate.
    """
    text = normalise(text)[:LONGEST_READ]
    names = gazetteer()
    all_hits = _scan(text, names)
    hits = [hit for hit in all_hits if _stands(hit, text, all_hits, names)]
    yunnan = [hit for hit in hits if hit.name.kind is not Kind.ELSEWHERE]
    elsewhere = [hit for hit in hits if hit.name.kind is Kind.ELSEWHERE]
    if elsewhere and (not yunnan or _moved_away(text, yunnan, elsewhere)):
        present = [hit for hit in elsewhere if _is_here(text, hit)] or elsewhere
        return Place(elsewhere=present[-1].name.value)
    return _in_yunnan(text, yunnan, names) if yunnan else NOWHERE


def _moved_away(text: str, yunnan: Sequence[_Hit], elsewhere: Sequence[_Hit]) -> bool:
    """Whether the person says to be elsewhere and names Yunnan only as where they come from."""
    from_here = all(_is_origin(text, hit) for hit in yunnan)
    return from_here and any(_is_here(text, hit) and not _is_origin(text, hit) for hit in elsewhere)


def _is_here(text: str, hit: _Hit) -> bool:
    return bool(_HERE_BEFORE.search(text[max(0, hit.start - 4) : hit.start]))


def _is_origin(text: str, hit: _Hit) -> bool:
    before, after = text[max(0, hit.start - 6) : hit.start], text[hit.end : hit.end + 4]
    return bool(
        _ORIGIN_BEFORE.search(before)
        or _ORIGIN_AFTER.match(after)
        or (before.endswith("是") and after.startswith(("的", "人")))
    )


def _on_paper(text: str, hit: _Hit) -> bool:
    """Whether the text names the place only as where somebody is registered or comes from."""
    return bool(_RESIDENCE_BEFORE.search(text[max(0, hit.start - 6) : hit.start]))


def _by_town(text: str, hits: Sequence[_Hit], names: Gazetteer) -> Place | None:
    """The county a town lies in, narrowed by the prefecture that is named; several counties are asked back. None: no town.

    Where somebody says to be in another prefecture, the town they come from does not count.
    """
    towns = [hit for hit in hits if hit.name.town is not None]
    named = {
        hit.name.value if hit.name.kind is Kind.PREFECTURE else names.regions[hit.name.value].parent_adcode: hit
        for hit in hits
        if hit.name.kind in (Kind.PREFECTURE, Kind.BOTH)
    }
    here = [hit for hit in towns if _is_here(text, hit) and not _is_origin(text, hit)]
    chosen = here or [hit for hit in towns if not _is_origin(text, hit)] or towns
    if not chosen:
        return None
    counties = list(dict.fromkeys(county for hit in chosen if hit.name.town for county in hit.name.town.counties))
    shared = [
        county for county in counties if all(hit.name.town and county in hit.name.town.counties for hit in chosen)
    ]
    counties = shared or counties
    inside = [county for county in counties if names.regions[county].parent_adcode in named]
    if named and not inside and not here and any(_is_here(text, hit) for hit in named.values()):
        if all(_is_origin(text, hit) for hit in chosen):
            return None
        return Place(candidates=tuple(names.regions[county] for county in counties[:MOST_CANDIDATES]))
    counties = inside or counties
    parents = {names.regions[county].parent_adcode for county in counties}
    prefecture = names.regions[parents.pop()] if len(parents) == 1 else None
    if len(counties) == 1:
        return Place(county=names.regions[counties[0]], prefecture=prefecture)
    return Place(
        prefecture=prefecture, candidates=tuple(names.regions[county] for county in counties[:MOST_CANDIDATES])
    )


def _in_yunnan(text: str, hits: Sequence[_Hit], names: Gazetteer) -> Place:
    regions = names.regions
    counties = [hit for hit in hits if hit.name.kind is Kind.COUNTY]
    if len({hit.name.value for hit in counties}) > 1:
        located = [hit for hit in counties if _is_here(text, hit) and not _is_origin(text, hit)]
        not_origin = [hit for hit in counties if not _is_origin(text, hit)]
        for fewer in (located, not_origin):
            if len({hit.name.value for hit in fewer}) == 1:
                counties = fewer
                break
    here = [
        hit for hit in hits if hit.name.kind is not Kind.COUNTY and _is_here(text, hit) and not _on_paper(text, hit)
    ]
    if here and counties and all(_on_paper(text, hit) for hit in counties):
        counties, hits = [], here  # registered there, living here
    found = list(dict.fromkeys(hit.name.value for hit in counties))
    if not found and (by_town := _by_town(text, hits, names)) is not None:
        return by_town
    hits = [hit for hit in hits if hit.name.town is None] or hits
    if len(found) == 1:
        county = regions[found[0]]
        return Place(county=county, prefecture=regions[county.parent_adcode])
    prefectures = list(dict.fromkeys(code for hit in hits if (code := _prefecture_of(hit, names))))
    prefecture = regions[prefectures[0]] if len(prefectures) == 1 else None
    if found:
        return Place(prefecture=prefecture, candidates=tuple(regions[adcode] for adcode in found))
    both = dict.fromkeys(hit.name.value for hit in hits if hit.name.kind is Kind.BOTH)
    spelled_out = any(hit.name.kind is Kind.PREFECTURE for hit in hits)
    return Place(prefecture=prefecture, candidates=() if spelled_out else tuple(regions[adcode] for adcode in both))


def get_region(adcode: str) -> Region:
    """The region of this six-digit code. Raises `RegionNotFound`."""
    region = gazetteer().regions.get(adcode)
    if region is None:
        raise RegionNotFound
    return region


def list_regions(level: str | None = None, parent: str | None = None) -> list[Region]:
    """The regions in the order of their codes, of one level or below one parent."""
    regions = gazetteer().regions.values()
    return [r for r in regions if level in (None, r.level) and parent in (None, r.parent_adcode)]


def full_name(adcode: str) -> str:
    """ "昭通市镇雄县"; a prefecture or the province by its own name. Raises `RegionNotFound`."""
    region = get_region(adcode)
    return get_region(region.parent_adcode).name + region.name if region.level == "county" else region.name


def short_name(adcode: str) -> str:
    """ "镇雄", as people say it. Raises `RegionNotFound`."""
    return short_of(get_region(adcode).name)


def without_places(text: str) -> str:
    """`text` in its normal form with every place name taken out: what is said beside the place."""
    text = normalise(text)[:LONGEST_READ]
    rest, start = [], 0
    for hit in _scan(text, gazetteer()):
        rest.append(text[start : hit.start])
        start = hit.end
    return "".join([*rest, text[start:]])


def names_town(text: str) -> bool:
    """Whether `text` names a town of Yunnan: what lies below a county."""
    text = normalise(text)[:LONGEST_READ]
    names = gazetteer()
    hits = _scan(text, names)
    return any(hit.name.town is not None and _stands(hit, text, hits, names) for hit in hits)
