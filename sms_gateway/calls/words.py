"""What is said when one of our calls is picked up. Nothing about a child, a place or a number: anybody may pick up. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    DESK = "desk"
    """The emergency desk's leg of a three-way call."""
    OPERATOR = "operator"
    PERSON = "person"
    NOTICE = "notice"
    """A supervisor's on-duty phone while red waits."""
    DUTY_TEST = "duty_test"
    """拨测 of a post of the duty book."""


SAID: Final[dict[Purpose, str]] = {
    Purpose.DESK: "您好，这里是云南12345未成年人保护热线，有一件紧急警情转给您，值班员就在线上，请不要挂断。",
    Purpose.OPERATOR: "三方通话正在接通接警台，请不要挂断。",
    Purpose.PERSON: "你好，这里是云南12345，请不要挂断。",
    Purpose.NOTICE: "值班长您好，有一件红色求助一直没人接，请马上登录值班台。",
    Purpose.DUTY_TEST: "您好，这是云南12345的每月拨测，听到请按1确认。",
}
ASKED: Final[dict[Purpose, str]] = {
    Purpose.OPERATOR: "云南12345值班电话，要接三方通话。是本人请按1，按了才接通接警台。"
}
"""What is said first where somebody has to show that they are there, before they join: a voicemail picks up too."""
CONFIRMS: Final = "1"
"""The key that shows it."""
THANKS: Final = "已确认，谢谢。"
TIMES: Final[dict[Purpose, int]] = {Purpose.OPERATOR: 2, Purpose.NOTICE: 3, Purpose.DUTY_TEST: 2}
"""How often it is said; once where it is not written here."""

NOTICE_TEXT: Final = "值班长您好，有一件红色求助一直没人接，请马上登录值班台。"
"""The text to the same phone."""
UNREAD_TEXT: Final = "值班长您好，有一件橙色求助一直没人看，请登录值班台。"
"""The text to it while an orange one is unread."""

TOLD: Final[dict[Purpose, str]] = {
    Purpose.DESK: "bridge.leg_changed",
    Purpose.OPERATOR: "bridge.leg_changed",
    Purpose.PERSON: "bridge.leg_changed",
    Purpose.NOTICE: "escalations.notice_call_changed",
    Purpose.DUTY_TEST: "bridge.test_call_changed",
}
"""The job that is told (`call_id`, `number` of the state) when a call of this purpose changed."""
