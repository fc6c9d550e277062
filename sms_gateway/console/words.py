"""What operators read for our words: lanes, harms, states, causes, events. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sms_gateway.tickets import sealed_rules
from sms_gateway.tickets.models import Attachment, Ticket

LANES = {"red": "红", "orange": "橙", "blue": "蓝"}
LANES_LONG = {"red": "红色 · 马上", "orange": "橙色 · 15 分钟内看", "blue": "蓝色 · 排队"}

HARMS = {
    "violence_in_progress": "正在被打、被追", "sexual_abuse": "性方面的侵害", "self_harm": "伤害自己的念头",
    "missing_abduction": "走失、被带走", "confinement": "被关、不让走", "abandoned_alone": "没人照看",
    "fire": "着火、浓烟", "medical": "伤病、误食", "traffic": "车祸", "drowning": "落水、被水困", "other_danger": "其他危险",
}  # fmt: skip
HARMS_BEFORE = {
    **HARMS, "violence_in_progress": "疑似挨打、受虐", "self_harm": "有过伤害自己的念头", "missing_abduction": "疑似拐带、出走",
    "confinement": "疑似被关", "abandoned_alone": "疑似没人照看", "other_danger": "疑似侵害",
}  # fmt: skip
"""The same harms where they are not happening now (orange)."""
CAUSES = {
    "danger": "有危险", "disclosure": "疑似侵害", "asked_for_person": "要找真人", "assistant_silent": "机器没答上来",
    "unsure": "机器拿不准", "silence_word": "要求静默", "transfer": "要转外省", "form": "登记中要人看", "form_silence": "登记说到一半没声音",
    "language": "写的是外语或拼音", "not_solved": "回访说没解决，要重办",
    "look_back": "回看说不安全", "review": "复看发现漏了",
}  # fmt: skip
ALARMS = {
    "red": "红色没人接 · {harm}",
    "text_did_not_arrive": "有一条没送到 · {harm}，换个办法联系",
    "silence_word": "对方要求静默 · {harm}，先别发",
    "unread": "橙色超时没人看 · {harm}",
    "ask_desk": "该问接警方了：见到孩子没有 · {harm}",
    "bridge_late": "接警方还没接 · {harm}，请打电话",
    "bridge_failed": "没交出去 · {harm}，请马上打电话",
    "bridge_returned": "接警方退回来了 · {harm}",
    "desk_lost_contact": "接警方说联系不上了 · {harm}，照会话里的步骤找",
    "transfer_offered": "同事要把会话转给你 · {harm}",
    "needs_help": "同事要人帮忙",
}
"""What an open page calls out, by the kind of alarm; a kind that is not here says the first."""
QUIET_ALARMS = frozenset({"silence_word"})
"""Shown, never sounded: whoever holds the phone may sit beside it."""
IMMEDIACIES = {"now": "现在", "recent": "刚才（72 小时内）", "past": "以前"}
SERVICES = {"110": "110 公安", "119": "119 消防", "120": "120 急救", "122": "122 交警"}
WRITERS = {
    "child": "孩子本人",
    "parent": "家长",
    "bystander": "旁人",
    "professional": "老师、医生等",
    "unknown": "还不清楚",
}
CHANNELS = {"sms": "短信", "web": "网页", "drill": "演练", "desk": "接警台转来"}

OWNERS = {"assistant": "小助手在答", "waiting": "等人接手", "operator": "值班员在谈", "closed": "已结束"}
CALL_STATES = {
    "ringing": "响铃中", "acknowledged": "已接手", "in_contact": "已接通", "handed_over": "已交出", "child_seen": "已见到孩子",
    "resolved": "已了结", "lost_contact": "失去联系", "false_alarm": "误报",
}  # fmt: skip
BRIDGE_STATES = {
    "requested": "等对方接", "accepted": "对方已接", "concluded": "对方办完", "failed": "没交出去", "returned": "对方退回",
}  # fmt: skip
BRIDGE_DRIVERS = {
    "linkage": "联动平台", "call": "三方通话", "text12110": "12110 短信", "simulator": "模拟接警台", "hand": "人工打",
}  # fmt: skip
BRIDGE_EVENTS = {
    "requested": "交出", "sent": "已送到对方", "no_answer": "没有回应", "accepted": "对方已接", "update": "对方来信", "failed": "没交出去",
    "returned": "对方退回", "concluded": "对方办完", "late": "超时没接", "settled": "值班长已处理",
}  # fmt: skip
BRIDGE_SAID = {
    "accepted": "对方已接", "dispatched": "已派警", "arrived": "已到场", "child_seen": "说见到孩子了", "concluded": "对方办完",
    "lost_contact": "说联系不上",
}  # fmt: skip
"""What a desk that has the matter said last."""
BECAME = {
    "taken": "已收下", "answered": "已答复", "concluded": "已办结", "declined": "不予受理", "transferred": "已转出", "withdrawn": "已撤回",
    "merged": "已并单",
}  # fmt: skip
"""What a desk was told of the matter it handed to us."""
RUNG_QUIETLY = "等人看"
"""What `ringing` is called in orange and blue, which do not ring."""
STEPS = {-1: "未响铃", 0: "响铃", 1: "再响", 2: "响全员", 3: "叫值班长", 4: "建议转接"}

DELIVERY = {
    "queued": "等待发出", "sending": "正在发", "unknown": "不确定送到没有", "sent": "已发出", "delivered": "已送达",
    "undelivered": "没送到", "blocked": "被运营商拦下", "failed": "发送失败", "cancelled": "没有发（人已接手）",
}  # fmt: skip
NOT_ARRIVED = frozenset({"undelivered", "blocked", "failed"})

KINDS = {
    "help": "求助", "complaint": "投诉", "report": "举报", "mandated": "强制报告", "callback": "要求回复", "disclosure": "疑似侵害",
    "suggestion": "建议", "consultation": "咨询", "transfer": "转外省",
}  # fmt: skip
STATUSES = {
    "accepted": "已受理", "dispatched": "已派单", "signed_for": "已签收", "handling": "办理中", "replied": "已答复", "concluded": "已办结",
    "followed_up": "已回访", "evaluated": "已评价", "clarifying": "待补充", "extended": "已延期", "returned": "被退回", "reworked": "重办",
    "merged": "已并单", "declined": "不予受理", "transferred": "已转出", "withdrawn": "已撤回",
}  # fmt: skip

ROLES = {
    "operator": "值班员",
    "supervisor": "值班长",
    "editor": "手册编辑",
    "department": "承办单位",
    "quality": "质检员",
    "follower": "个案跟进人",
}

ASKED = {
    "unanswered": "没答上", "unclear": "问了是哪条，没选", "useless": "答了，说没用", "not_this": "答了，说不是这个", "handed_over": "答了，又找真人",
}  # fmt: skip
"""Why a question stands in the list of gaps: what was said to the answer, else what it got."""
DRAFT_STATES = {
    "draft": "在写", "proposed": "等人审", "approved": "已上线", "rejected": "退回修改", "retired": "不用了",
}  # fmt: skip
DRAFT_EVENTS = {
    **DRAFT_STATES,
    "made": "开始写",
    "draft": "接着写",
    "proposed": "提交审核",
    "approved": "审过，上线",
    "retired": "停用",
}
TOPICS = {
    "hotline": "热线", "orphans": "孤儿", "unattended": "事实无人抚养", "assistance": "低保救助", "left-behind": "留守儿童", "guardianship": "监护",
    "adoption": "收养", "violence": "家暴", "reporting": "强制报告", "sexual-abuse": "性侵害", "school": "学校", "online": "网络",
    "street": "流浪乞讨", "legal-aid": "法律援助", "education": "上学资助", "medical": "医疗康复", "offending": "违法犯罪", "labour": "童工用工",
    "registration": "户口证件", "mental-health": "心理", "missing": "走失拐卖", "safety": "安全", "privacy": "隐私", "places": "娱乐场所",
    "institutions": "机构",
}  # fmt: skip
REGIONS = {
    "national": "全国", "yunnan": "云南全省", "kunming": "昆明", "baoshan": "保山", "lijiang": "丽江", "chuxiong": "楚雄",
}  # fmt: skip
SOURCE_KINDS = {
    "law": "法律法规", "document": "政策文件", "article": "本项目文章", "excerpt": "网页摘录", "recalled": "没有原文",
}  # fmt: skip
FIELDS = {
    "id": "编号", "question": "问题", "variants": "问法", "short": "短信答案", "long": "长答案", "sources": "来源", "figures_date": "数字截至",
    "review_by": "复核日期", "region": "地区", "topic": "主题", "facts": "事实编号", "file": "格式",
}  # fmt: skip

OUTCOMES: Mapping[str, str] = {
    "safe": "孩子安全，有可靠的人照看", "with_police": "公安已接手，孩子有人陪", "in_hospital": "已送医，有人陪",
    "followed_up": "转工单继续跟", "answered": "问题已答复", "no_answer": "对方没有再回", "other": "其他（写在说明里）",
}  # fmt: skip
OUTCOMES_BY_LANE: Mapping[str, tuple[str, ...]] = {
    "red": ("safe", "with_police", "in_hospital", "other"),
    "orange": ("followed_up", "with_police", "safe", "other"),
    "blue": ("answered", "followed_up", "no_answer", "other"),
}


def call_state(state: str, lane: str) -> str:
    """How far a call is, for every page: only red rings."""
    return RUNG_QUIETLY if state == "ringing" and lane != "red" else CALL_STATES.get(state, state)


CHANCES = ((0.01, "很低"), (0.1, "低"), (0.5, "中"))
"""Triage's probability of red, below which it is called so; an engineering default for the second reading."""


def chance(score: float) -> str:
    """Triage's probability (0 to 1) for a reader: `低 3.2%`."""
    name = next((word for below, word in CHANCES if score < below), "高")
    return f"{name} {'不到 0.1%' if score < 0.001 else f'{score:.1%}'}"


def title_of(lane: str, harm: str | None, cause: str) -> str:
    """What a call is about, in a few words."""
    if harm and harm != "none":
        return (HARMS_BEFORE if lane == "orange" else HARMS).get(harm, harm)
    return CAUSES.get(cause, cause)


ENDED = {**OUTCOMES, "false_alarm": "误报（两人签）", "handed_back": "交还小助手"}

THREAD_EVENTS = {
    "transfer_offered": "要转给同事", "transfer_accepted": "同事接过来了", "transfer_declined": "同事没接", "transfer_timed_out": "转接没人接，退回",
    "transfer_cancelled": "收回转接", "recused": "说认识这家人，回避", "whispered": "说了悄悄话", "listen_in": "旁听", "break_begins": "重案后歇一会",
    "owner_assistant": "交还小助手", "owner_waiting": "叫人接手", "owner_operator": "接手", "owner_closed": "结束会话",
    "false_alarm": "两人签误报", "shown_to_person": "请人看一眼", "person_left": "对方关掉了网页", "note": "写了记录",
    "review_missed": "复看发现漏了，升级", "called_by_hand": "人工交出", "place_set": "写明地点", "number_shown": "看了完整号码", "bridge_requested": "交给接警台", "bridge_returned": "接警台退回",
}  # fmt: skip
CALL_EVENTS = {
    "opened": "发起呼叫", "raised": "升级", "again": "又来危险信息", "rung": "响铃", "unread": "超时没人看", "closed": "了结",
    "text_did_not_arrive": "有一条没送到", "silence_word": "要求静默（暗号）", **CALL_STATES,
    "ringing": "没人在了，重新叫人", "bridge_accepted": "接警台已接", "bridge_failed": "没交出去", "bridge_late": "接警台超时没接",
    "bridge_returned": "接警台退回", "bridge_suggested": "建议转接", "desk_lost_contact": "接警台说联系不上",
    "look_backs_planned": "约好四次回看", "look_back_safe": "回看：安全", "look_back_not_reached": "回看：没见到", "look_back_unsafe": "回看：不安全，重新呼叫",
}  # fmt: skip
LEVELS = {"county": "县区", "prefecture": "州市", "province": "省级"}
HANDS = {"main": "主办", "co": "协办", "copy": "知晓"}
SENSITIVITIES = {
    "sexual": "性侵害", "domestic_violence": "家暴", "self_harm": "自伤", "hiv": "艾滋", "adoption": "收养", "sealed_record": "有案底",
    "none": "不敏感",
}  # fmt: skip
TICKET_EVENTS = {
    **STATUSES, "details": "补充了内容", "lane": "升级", "more": "又说了一些", "note": "备注", "wish_noted": "记下撤回的意思",
    "resumed": "补充好了，接着办", "reply_refused": "答复退回再办", "took_in": "并入一单",
    "category_set": "改分类", "place_set": "改地点", "urgent_set": "改缓急", "sealed_set": "改保密", "sensitivity_set": "改敏感类别",
    "ruled": "裁决退单", "reopened": "撤销不予受理", "told_unit": "转告承办单位",
    "survey_lost": "回访短信没送到", "asked_person": "向来信人问了一句", "reminded_person": "提醒来信人一次", "unanswered": "来信人没有回", "asked_progress": "来信人问过进度",
    "transfer_asked": "请对方平台接", "transfer_by_hand": "要人工转", "transfer_refused": "对方平台没接", "transfer_closed": "对方平台已办结",
    "warning": "到期提醒", "supervision": "督办", "extension_asked": "申请延期", "extension_refused": "不同意延期", "erased": "抹去原话",
    "child_added": "登记了孩子", "child_mended": "改了孩子的记录", "child_linked": "连到已有的孩子", "child_unlinked": "不是这个孩子，解开",
    "children_merged": "两条孩子记录合成一条", "children_split": "拆开合并的孩子记录", "accused_added": "登记了被反映人",
    "accused_mended": "改了被反映人", "accused_removed": "去掉被反映人", "same_child": "同一个孩子又有人反映", "third_talk": "7 天内第三次说到",
    "duty_arose": "要报告", "duty_moved": "改报告给", "duty_reported": "已报告", "duty_excused": "写了不报的理由", "duty_excuse_signed": "值班长签了不报",
    "duty_excuse_refused": "值班长不同意不报", "duty_overdue": "督办：没按时报告", "case_filed": "公安受案、立案", "police_urged": "催公安反馈",
    "police_feedback": "公安有反馈", "evidence_set": "写明事发时间", "reporter_told": "已告知报告人", "reporter_not_told": "没有告知报告人",
}  # fmt: skip
AUDIT = {
    "open_work": "单位打开工单", "open_file": "下载附件", "list_work": "单位看工单列表",
    "open_talk": "打开会话", "open_history": "打开以前说过的", "take_over": "接手", "close": "结束", "show_number": "看完整号码", "open_ticket": "打开工单",
    "take_from_colleague": "从同事手上接管", "sign_in": "登录", "sign_in_link": "用一次性链接登录", "sign_out": "退出",
    "duty_on": "开始值班", "duty_off": "停止值班", "second_signature": "第二人签字", "open_names": "打开姓名", "open_shut_talk": "写理由打开会话", "open_shut_ticket": "写理由打开工单", "search_tickets": "查工单", "enrol_second_factor": "绑定动态码", "reset_second_factor": "重设动态码", "use_recovery_code": "用了备用码", "change_password": "换密码", "change_role": "改岗位", "end_other_sessions": "退出别处的登录", "open_gaps": "看没答上的问题",
    "settle_gaps": "没答上的问题标为不用管", "propose_entry": "提交问答审核", "approve_entry": "审过问答", "reject_entry": "退回问答",
    "open_groups": "看普遍性诉求", "search_words": "按字词查工单", "export": "导出工单", "retire_entry": "停用问答", "restore_entry": "恢复问答", "asked_for_rework": "来信人不满意，要求重办",
    "ticket_anchor": "工单存证", "api_open_ticket": "部门系统读工单", "replay_pushes": "重发推送", "pause_pushes": "暂停推送", "resume_pushes": "恢复推送",
    "add_child": "登记孩子", "mend_child": "改孩子的记录", "link_child": "连到已有的孩子", "unlink_child": "解开孩子", "merge_children": "合并孩子记录",
    "split_children": "拆开孩子记录", "add_accused": "登记被反映人", "mend_accused": "改被反映人", "remove_accused": "去掉被反映人",
    "report_duty": "记下已报告", "excuse_duty": "写不报的理由", "sign_duty": "为不报签字", "refuse_excuse": "不同意不报", "case_filed": "记下受案、立案",
    "police_feedback": "记下公安反馈", "set_occurred": "写明事发时间",
    "add_duty_post": "通讯录加一条", "mend_duty_post": "改通讯录", "end_duty_post": "停用通讯录一条", "test_duty_post": "拨测", "call_duty_post": "机器拨测",
    "open_look_back": "打开回看", "write_look_back": "写回看结果", "open_review": "复看时打开会话", "review": "写复看结论",
    "hand_shift": "交班", "take_shift": "接班",
    "transfer_talk": "转给同事", "accept_talk": "接过同事的会话", "give_back_talk": "放回队列", "recuse": "认识这家人，回避", "listen_in": "旁听",
    "test_broadcast": "发群发的测试短信", "approve_broadcast": "批准群发", "send_back_broadcast": "退回群发", "start_broadcast": "开始群发", "pause_broadcast": "暂停群发",
    "resume_broadcast": "接着群发", "next_wave_broadcast": "放行群发的下一批", "cancel_broadcast": "取消群发", "export_broadcast": "导出群发结果",
    "write_template": "写群发模板", "move_template": "改模板的报备状态", "bring_roll": "上传名册", "remove_roll": "删掉名册",
    "api_list_tickets": "部门系统读工单列表", "api_open_events": "部门系统读工单经过", "api_open_file": "部门系统下载附件", "api_upload_file": "部门系统上传附件",
    "api_move_ticket": "部门系统办工单", "api_pull_events": "部门系统取事件",
    "add_operator": "新建账号", "disable_operator": "停用账号", "reset_operator": "改账号密码", "make_sign_in_link": "生成一次性登录链接",
    "add_api_key": "新建接口密钥", "list_api_keys": "看接口密钥", "end_api_key": "停用接口密钥", "add_subscription": "新建推送订阅", "renew_secret": "换推送密钥",
    "list_rolls": "看名册列表", "look_at_broadcast": "看群发进度", "run_drill": "演练",
    "see_requests": "看查阅删除的申请", "see_request": "打开查阅删除的申请", "record_access": "登记查阅申请", "record_erasure": "登记删除申请",
    "hand_out": "把记录交给本人", "erase_on_request": "按本人申请删除", "see_holds": "看证据保全", "set_hold": "保全证据", "ask_to_lift_hold": "提出解除保全",
    "lift_hold": "解除保全", "keep_hold": "不解除保全", "leak_stop": "泄露应急，全部停下",
    "seal_image": "封存敏感文件", "ask_image": "申请打开敏感文件", "approve_image": "同意打开敏感文件", "refuse_image": "不同意打开敏感文件", "open_image": "打开敏感文件",
    "ask_police_file": "登记公安调取", "approve_police_file": "批准公安调取", "refuse_police_file": "不批公安调取", "make_police_file": "生成调取文件", "fetch_police_file": "取走调取文件",
    "audit_stream": "开始一条审计链", "drop_audit": "清掉过期的审计", "blank_audit": "抹掉过期的理由", "verify_audit": "核对审计", "open_audit": "看审计", "export_audit": "导出审计",
    "break_begins": "重案后歇一会", "break_ended_early": "自己提前结束歇息", "relieve": "换下同事", "ask_help": "要人帮忙", "come_to_help": "去帮同事",
}  # fmt: skip
PUSH_ANSWERS = {
    "timeout": "对方没有回应", "unreachable": "连不上", "redirect": "对方要转到别的地址", "not_allowed": "地址不在允许的范围",
}  # fmt: skip
"""What a subscriber's system answered; HTTP codes stand as they are."""
NOT_ASKED = {
    "red": "红色的事", "orange": "橙色的事", "sealed": "对监护人保密", "sensitive": "敏感类别", "danger_open": "这个人还有别的危险没了结", "silent": "要求静默",
    "left_alone": "说过先别找、不要再问", "child_phone": "可能是孩子自己的手机", "anonymous": "不留名", "wants_call": "要打电话，请值班员打", "opted_out": "退订了短信",
    "no_address": "网页来的，没有号码", "moved_on": "没问之前单子又动了", "no_moment": "一直在谈话，没有合适的时候", "restored": "从备份恢复过，可能已经问过",
}  # fmt: skip
"""Why no survey or question went out by text."""
TRANSFER_STATES = {
    "requested": "正在请对方接", "accepted": "对方已接", "by_hand": "要人工转", "refused": "对方没接", "returned": "对方退回", "closed": "对方已办结",
}  # fmt: skip
FOLLOW_UPS = {
    "planned": "等白天再问",
    "sent": "已问",
    "lost": "短信没送到，不再重发",
    "skipped": "没有问",
    "answered": "已回",
}
WHO = {"assistant": "小助手", "system": "系统", "person": "来信人", "triage": "危险判断", "desk": "接警台"}


SEXES = {"m": "男", "f": "女"}
RELATIONS = {
    "guardian": "父母、监护人", "relative": "亲戚", "teacher": "老师、校长等教职人员", "student": "同学", "official": "公职人员", "body": "单位",
    "stranger": "外人", "other": "其他",
}  # fmt: skip
CHILD_FIELDS = {
    "name": "称呼", "school": "学校", "where_now": "现在在哪", "with_whom": "和谁一起", "siblings": "家里还有的孩子", "age_said": "年龄怎么说的",
    "more": "其他",
}  # fmt: skip
LIKENESS = {"name": "同名、同县", "school": "同校、同岁", "contact": "同一个人来信"}


def sealed_name(file: Attachment) -> str:
    """What a sealed file is called where its own name may tell too much: 敏感图片 3."""
    return f"敏感{'图片' if file.kind in sealed_rules.IMAGES else '文件'} {file.id}"


def listed(ticket: Ticket, said: str) -> str:
    """A ticket's first words as a list shows them: none of a sensitive matter."""
    return "（敏感的事，打开再看）" if sealed_rules.is_harm(ticket) else said[:60] or "—"
