"""What editors read for the words of outreach. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sms_gateway import clock, regions
from sms_gateway.broadcasts import numbers, pacing

STATUSES = {
    "draft": "草稿", "approved": "已批准", "running": "正在发", "paused": "停着", "completed": "发完了", "cancelled": "已取消",
}  # fmt: skip
NEXT = {
    "write": "写内容、选名单", "prepare": "准备名单", "preparing": "正在准备名单", "prepare_again": "名单没准备好，再试一次",
    "approve": "等另一个人批准", "start": "可以开始发了", "wait": "到时间自动开始", "watch": "正在发，看进度", "wave": "看过回信，放行下一批",
    "look": "停着，看原因", "report": "看结果",
}  # fmt: skip
"""What comes next, on the list."""
PREPARED = {"none": "还没准备", "preparing": "正在准备", "ready": "准备好了", "failed": "没有准备成"}
STATES = {
    "created": "还没轮到", "claimed": "正要发", "sent": "已发出，等回执", "delivered": "已送达", "failed": "没送到", "unknown": "不确定，在查",
    "suppressed": "按规矩没发", "cancelled": "取消了，没发",
}  # fmt: skip
"""`recipients.State`."""
WHY = {
    "opted_out": "退订过群发", "open_case": "有正在办的事", "safe_mode": "要求过静默", "recent": "最近几天收过",
}  # fmt: skip
"""`recipients.Why`."""
PAUSES = {
    "person": "有人按了暂停", "wave": "这一批发完了，等人放行", "waiting": "有人等真人太久，自动停了", "danger": "回信里有危险，自动停了",
    "errors": "发不出去的太多，自动停了", "line": "有人在服务器的命令行按了暂停",
    "restored": "从备份恢复过，先停着",
}  # fmt: skip
PAUSE_ADVICE = {
    "person": "看清楚以后，按“接着发”，或者取消。",
    "line": "先问清楚是谁、为什么停的，再按“接着发”，或者取消。",
    "restored": "备份之后可能又发出去过一些。先对运营商的发送记录：发过的不少，就取消，另写一条只发给没收到的人；没发过，再按“接着发”。",
    "wave": "看一看下面的回信和没送到的，都正常就放行下一批。",
    "waiting": "先把等着的人接起来。值班员空出来以后，再按“接着发”。",
    "danger": "先看红色、橙色的回信有没有人接。都有人接了，再按“接着发”。",
    "errors": "问一下运营商：模板、签名、通道是不是有问题。弄清楚以前不要接着发。",
}  # fmt: skip
ALARMING_PAUSES = frozenset({"waiting", "danger", "errors"})
HELD = {
    "people": "照空着的值班员人数放慢", "nobody": "没有值班员空着，先不发", "hours": "不在可以发的时段，到点自动接着发", "busy": "通道忙，过一会儿自动再试",
    "counting": "都发出去了，正在核对数目", "load": "来信太多，先让来信，缓下来自动接着发",
}  # fmt: skip
"""`lifecycle.Held`: why it goes slower than the carrier takes."""
EVENTS = {
    "created": "新建", "edited": "修改", "preparing": "开始准备名单", "prepared": "名单准备好了", "prepare_failed": "名单没有准备成",
    "approved": "批准", "sent_back": "退回", "started": "开始发", "paused": "暂停", "resumed": "接着发", "next_wave": "放行下一批",
    "cancelled": "取消", "completed": "发完了", "tested": "发了测试短信", "exported": "导出结果",
}  # fmt: skip
REGISTRATIONS = {"draft": "没有报备", "submitted": "报备中", "registered": "已报备", "refused": "没批"}
WARNINGS = {
    "link": "有网址：运营商会拦。报备过也可能拦。", "phone_number": "有电话号码：运营商会拦。写“打 12345”就行。",
    "outside_bmp": "有表情或生僻字：一个算两个字，有的手机显示成方框。",
}  # fmt: skip
ROLL_STATES = {
    "waiting": "等文件传完",
    "importing": "正在读",
    "ready": "可以用",
    "failed": "没读成",
    "removed": "已删掉",
}
REFUSED = numbers.WHY
FIELDS = {
    "title": "名称", "body": "正文", "template_id": "模板", "audience": "发给谁", "scheduled_at": "什么时候开始", "hours_start": "可以发的时段",
    "hours_end": "可以发的时段", "region_hours": "个别地方的时段", "pilot": "先试发多少", "first_county": "再发哪个县", "carrier_segments": "通道速度",
    "reply_share": "估计的回信", "quiet_days": "几天内收过的不再发", "waiting_seconds": "自动停的界限", "danger_replies": "自动停的界限",
    "error_share": "自动停的界限",
}  # fmt: skip
FORM_FIELDS = {
    **FIELDS, "consent": "只发给同意收的人", "replies_per_thousand": "估计每 1000 人回几条", "error_percent": "没发出去的超过", "figures": "速度和界限",
    "waiting_seconds": "有人等真人超过", "danger_replies": "红色、橙色回信满", "hours_start": "每天从", "hours_end": "每天到",
}  # fmt: skip
"""The fields of the composer's form."""
REPLY_KINDS = {
    "danger": "红色", "harm": "橙色", "opt_out": "退订", "person": "找真人", "doubt": "问是不是骗子", "thanks": "收到、谢谢", "not_mine": "发错人了",
    "question": "问政策", "other": "别的话",
}  # fmt: skip
"""`replies.Kind`."""
REPLY_MINUTES = {"reply": "回信", "reply_red": "红色回信", "reply_orange": "橙色回信", "reply_opt_out": "退订"}
"""`replies.counts_of`."""
MINUTES = {"sent": "发出", "delivered": "送达", "failed": "没送到", "unknown": "不确定", "suppressed": "按规矩没发"}
TALKS_AT_ONCE, TALK_MINUTES = f"{pacing.TALKS_AT_ONCE:g}", f"{pacing.TALK_MINUTES:g}"


def thousands(value: float) -> str:
    """12,345."""
    return f"{value:,.0f}"


def yuan(fen: float) -> str:
    """1,234.50, of fen."""
    return f"{fen / 100:,.2f}"


def few(value: float) -> str:
    """At most two places behind the point: 5, 0.25, 4.8."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def day_only(at: datetime) -> str:
    """今天, 明天, 12月3日, 2027年1月3日."""
    local, today = clock.shanghai(at).date(), clock.shanghai(clock.now()).date()
    if local in (today, today + timedelta(days=1)):
        return "今天" if local == today else "明天"
    return (
        f"{local.month}月{local.day}日" if local.year == today.year else f"{local.year}年{local.month}月{local.day}日"
    )


def moment(at: datetime) -> str:
    """今天 14:05, 12月3日 09:00."""
    return f"{day_only(at)} {clock.shanghai(at):%H:%M}"


def wave_name(wave: Mapping[str, Any]) -> str:
    """试发, 镇雄县, 其余; 一次发完 where there is one wave only."""
    if wave.get("region"):
        return regions.get_region(str(wave["region"])).name
    if wave.get("limit"):
        return "试发"
    return "其余" if wave.get("number") else "一次发完"


def share(part: float, whole: float) -> str:
    """12.3%; a dash without a whole."""
    return f"{100 * part / whole:.1f}%" if whole else "—"


def lasting(seconds: float) -> str:
    """12 秒, 3 分钟, 2.5 小时."""
    if seconds < 90:
        return f"{seconds:.0f} 秒"
    return f"{seconds / 60:.0f} 分钟" if seconds < 5400 else f"{few(round(seconds / 3600, 1))} 小时"


FILTERS = {
    "lasting": lasting,
    "thousands": thousands, "yuan": yuan, "fen": few, "rate": few, "moment": moment, "dayonly": day_only, "wave_name": wave_name,
}  # fmt: skip
