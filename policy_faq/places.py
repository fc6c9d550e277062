"""Whether a text asks about another province: an amount that holds in Yunnan must not be told to somebody elsewhere."""

from __future__ import annotations

import re

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|陕西|甘肃|青海|"
    "内蒙古|内蒙|广西|西藏|宁夏|新疆|香港|澳门|台湾"
)
_CITIES = (
    "广州|深圳|东莞|佛山|惠州|珠海|中山市|杭州|宁波|温州|义乌|金华|南京|苏州|无锡|成都|攀枝花|宜宾|泸州|凉山|西昌|贵阳|毕节|六盘水|遵义|"
    "南宁|百色|柳州|桂林|武汉|长沙|郑州|西安|兰州|合肥|南昌|福州|厦门|泉州|济南|青岛|石家庄|太原|沈阳|大连|长春|哈尔滨|海口|三亚|拉萨|"
    "西宁|银川|乌鲁木齐|呼和浩特"
)
_ELSEWHERE = re.compile(f"{_PROVINCES}|{_CITIES}")
_FIGURE = re.compile("多少|几多|好多|标准|几个|几家|几所|几名|几块|每月|一个月|低保线|人数")
_HERE = re.compile(
    "云南|昆明|曲靖|玉溪|保山|昭通|丽江|普洱|临沧|楚雄|红河|文山|版纳|大理|德宏|怒江|迪庆|我们省|我省|本省"
)


def asks_elsewhere(text: str) -> bool:
    """True when the text names a place outside Yunnan and none inside it."""
    return bool(_ELSEWHERE.search(text)) and not _HERE.search(text)


def asks_figure(text: str) -> bool:
    """True when the text wants a number of money or people."""
    return bool(_FIGURE.search(text))
