"""Result codes in words, and which of them ask us to slow down. After the standard; 14 and above are a vendor's own."""

from __future__ import annotations

from sms_gateway.errors import HotlineError

OK = 0
FLOW_CONTROL = 8
THROTTLED = frozenset({FLOW_CONTROL})
"""SUBMIT results after which the same text may be sent again, later. Vendors' own are added by the account's settings."""
FROM_OTHER = 9
STRUCTURE, LENGTH = 1, 4

SUBMIT_RESULTS: dict[int, str] = {
    1: "消息结构错",
    2: "命令字错",
    3: "消息序号重复",
    4: "消息长度错",
    5: "资费代码错",
    6: "超过最大信息长度",
    7: "业务代码错",
    8: "流量控制错",
    9: "本网关不负责服务此计费号码",
    10: "Src_Id 错误",
    11: "Msg_src 错误",
    12: "计费号码错误",
    13: "目的号码错误",
}
"""SUBMIT_RESP's results, for the operations page."""
REFUSES_US = frozenset({5, 7, 10, 11, 12})
"""Results that say that our account or its settings are wrong, whatever the text: the next would fare no better."""


class LoginRefused(HotlineError):
    """The gateway does not let us in. `status`: CONNECT_RESP's."""

    status = 5
    sentence = "短信网关拒绝登录：其他错误，也可能是连接数已满。"

    def __init__(self, status: int | None = None) -> None:
        super().__init__()
        self.status = self.status if status is None else status


class LoginIsMalformed(LoginRefused):
    status = 1
    sentence = "短信网关拒绝登录：消息结构错，请核对 CMPP 版本。"


class SourceIsUnknown(LoginRefused):
    status = 2
    sentence = "短信网关拒绝登录：企业代码或本机地址不在许可之列。"


class SecretIsWrong(LoginRefused):
    status = 3
    sentence = "短信网关拒绝登录：认证失败，请核对企业代码、共享密钥和本机时间。"


class VersionIsTooHigh(LoginRefused):
    status = 4
    sentence = "短信网关拒绝登录：版本太高，请把 CMPP 版本改为 2.0。"


class GatewaySpeaksOtherVersion(HotlineError):
    """It answered in the other version's layout: whatever follows could not be read."""

    sentence = "短信网关用另一个 CMPP 版本应答，请核对版本设置。"


class GatewayIsNotGenuine(HotlineError):
    """Its AuthenticatorISMG is not what our secret gives."""

    sentence = "短信网关的身份校验不符，请核对共享密钥。"


class GatewayIsAway(HotlineError):
    """No connection, or no answer to the login."""

    retryable = True
    sentence = "连不上短信网关，正在重试。"


def login_refusal(status: int) -> LoginRefused:
    """What a status of CONNECT_RESP other than 0 says."""
    for kind in (LoginIsMalformed, SourceIsUnknown, SecretIsWrong, VersionIsTooHigh):
        if kind.status == status:
            return kind()
    return LoginRefused(status)
