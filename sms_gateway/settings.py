"""Every setting, read once, typed and frozen. `os.environ` appears nowhere else in the front door."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .cmpp_settings import CmppSettings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads the encoder (DESIGN section 2)

ROOT = Path(__file__).resolve().parent.parent
"""The clone: `.env` and a relative DATA_DIR count from here, wherever a command is typed."""


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


OVERSEAS_CARRIERS = frozenset({"twilio"})
DOMESTIC_CARRIERS = ("cmpp", "cmpp2")
"""Lines to gateways of mainland carriers: each a process of its own."""
CARRIERS = frozenset({"simulator", "twilio", *DOMESTIC_CARRIERS})
CMPP_NEEDS = ("host", "source_addr", "shared_secret", "service_id", "src_id")
"""What no line can do without."""
VOICES = frozenset({"simulator", "twilio", "none"})
SHORTEST_SHARED_SECRET = 24
"""Bytes of a secret shared with another platform, as Standard Webhooks asks."""


class DeskSettings(BaseModel):
    """One emergency desk: `url` and `secret` for linkage (双向派单), `phone` for three-way calls, as it is dialled."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str | None = None
    secret: SecretStr | None = None
    phone: str | None = None


class Settings(BaseSettings):
    """Settings with the prefix `HOTLINE_`, from the environment and `.env` (see `.env.example`)."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix="hotline_",
        env_file=os.environ.get("HOTLINE_ENV_FILE", ROOT / ".env"),  # throw-away hotlines shut the clone's `.env` out
        extra="ignore",
        hide_input_in_errors=True,
    )

    mode: Mode = Mode.DEVELOPMENT
    data_dir: Path = ROOT / "var"
    database_url: SecretStr | None = None
    port: int = Field(default=8000, ge=1, le=65535)
    console_port: int = Field(default=8001, ge=1, le=65535)
    public_url: str | None = None
    console_url: str | None = None
    trusted_proxies: str = "127.0.0.1,::1"
    carrier: str = "simulator"
    simulator_url: str | None = None

    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_messaging_service_sid: str | None = None
    twilio_api_url: str | None = None

    cmpp_host: str | None = None
    cmpp_port: int = 7890
    cmpp_source_addr: str | None = None
    cmpp_shared_secret: SecretStr | None = None
    cmpp_service_id: str | None = None
    cmpp_src_id: str | None = None
    cmpp_connections: int = 1
    cmpp_window: int = 16
    cmpp_segments_per_second: float = 100.0
    cmpp_version: str = "3.0"
    cmpp_extension_digits: int = 4
    cmpp_fee_type: str = "01"
    cmpp_fee_code: str = "000000"
    cmpp_checks_gateway: bool = False
    cmpp_throttled: frozenset[int] = frozenset({8})
    cmpp_words: dict[str, str] = Field(default_factory=dict)
    cmpp_door_port: int = 8002
    cmpp2: CmppSettings | None = None
    """A second line, as JSON; its own `door_port`."""

    rasa_url: str = "http://127.0.0.1:5005"
    actions_url: str = "http://127.0.0.1:5055"
    bot_secret: SecretStr | None = None
    data_key: SecretStr | None = None
    backup_key: SecretStr | None = None
    """Of whole backups; None: they are sealed with a key drawn from the newest data key."""
    session_key: SecretStr | None = None

    assistant_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    joining_seconds: float = Field(default=4.0, ge=0, le=30)
    unknown_after_seconds: float = Field(default=30.0, gt=0)
    spool_mb: float = Field(default=256.0, gt=0)
    spool_reserved_mb: float = Field(default=8.0, gt=0)
    ring_again_seconds: float = Field(default=30.0, gt=0)
    ring_everyone_seconds: float = Field(default=60.0, gt=0)
    ring_supervisor_seconds: float = Field(default=120.0, gt=0)
    bridge_after_seconds: float = Field(default=180.0, gt=0)
    give_back_seconds: float = Field(default=15.0, ge=6, le=18)
    """With the sweep, which comes round each second, danger is back in line within 20 s."""
    seen_within_seconds: float = Field(default=20.0, ge=6)
    gone_after_seconds: float = Field(default=60.0, ge=6)
    alarm_minutes: float = Field(default=10.0, gt=0)
    receipt_within_seconds: float = Field(default=60.0, gt=0)
    desk_accepts_within_seconds: float = Field(default=60.0, gt=0)
    bridge_retry_seconds: tuple[Annotated[float, Field(ge=1)], ...] = Field(default=(2, 4, 8, 15), min_length=1)
    ask_desk_minutes: float = Field(default=30.0, gt=0)
    orange_read_minutes: float = Field(default=15.0, gt=0)
    orange_phone_minutes: float = Field(default=30.0, gt=0)
    transfer_within_seconds: float = Field(default=60.0, gt=0)
    break_minutes: float = Field(default=15.0, ge=0)
    seat_capacity: int = Field(default=6, ge=3, le=60)
    sealed_image_minutes: float = Field(default=10.0, gt=0, le=120)
    """For the second person to allow a sensitive picture to be opened, and then for opening it."""
    police_file_hours: float = Field(default=24.0, gt=0, le=168)
    """So long a file made for the police may be fetched; then only its hash is kept."""
    duty_phone: str | None = None
    shed_outreach_seconds: float = Field(default=4.0, gt=0)
    shed_policy_seconds: float = Field(default=10.0, gt=0)
    segment_price_fen: float = Field(default=5.0, ge=0)
    outreach_at_once: int = Field(default=64, ge=1, le=128)
    """Texts of one sending process on their way to a carrier that takes them one by one; not more than the carriers hold connections,
    where a wait for a free one ends as a lost answer."""

    bridge_live: bool = False
    bridge_desks: dict[str, DeskSettings] = Field(default_factory=dict)
    bridge_text_12110: bool = False
    voice: str = "simulator"
    voice_from: str | None = None
    voice_recording: bool = False
    cross_border_assessed: str | None = None
    demo_data: bool = True
    retention_periods: dict[str, str] = Field(default_factory=dict)
    """Other periods than `retention/periods.yml` has, by kind: checked there."""
    retention_minutes: float = Field(default=60.0, gt=0, le=1440)
    """Work of one day's purge; what is left is the next day's."""
    database_pool: int = Field(default=8, ge=1, le=100)
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    push_private_targets: str = ""
    general_desk_url: str | None = None
    general_desk_secret: SecretStr | None = None

    @property
    def production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def carriers(self) -> dict[str, int]:
        """Carriers by weight: `twilio` is `{"twilio": 1}`, `cmpp=3,twilio=1` both."""
        weights: dict[str, int] = {}
        for part in filter(None, self.carrier.replace(" ", "").split(",")):
            name, _, weight = part.partition("=")
            weights[name] = int(weight) if weight else 1
        return weights

    @property
    def domestic(self) -> dict[str, CmppSettings]:
        """The lines to mainland carriers among `carriers`. Raises pydantic's `ValidationError` for what a line cannot be."""
        return {name: self._line(name) for name in self.carriers if name in DOMESTIC_CARRIERS}

    def _line(self, name: str) -> CmppSettings:
        if name == "cmpp":
            said = {
                field.removeprefix("cmpp_"): getattr(self, field)
                for field in type(self).model_fields
                if field.startswith("cmpp_")
            }
            return CmppSettings(**said)
        assert self.cmpp2 is not None
        return self.cmpp2

    @property
    def voice_driver(self) -> str:
        """`simulator`, `twilio` or `none`; where nothing is written, the make-believe exchange in development and none in production."""
        return "none" if self.production and self.voice == "simulator" else self.voice

    @property
    def gateway_url(self) -> str:
        """Where this machine's own gateway listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook_url(self) -> str:
        """The address carriers know us by, without a slash at the end; signatures are made over it."""
        return (self.public_url or self.gateway_url).rstrip("/")

    @property
    def desk_url(self) -> str:
        """Where operators' browsers find the console, without a slash at the end."""
        return (self.console_url or f"http://127.0.0.1:{self.console_port}").rstrip("/")

    def hosts(self, url: str | None) -> list[str]:
        """Names a request may call us by: in production those of `url` and of this machine, in development any."""
        named = urlsplit(url or "").hostname
        return [named, "127.0.0.1", "localhost"] if self.production and named else ["*"]

    @property
    def make_believe_key(self) -> bytes | None:
        """What the make-believe carrier and this gateway share: derived, so that there is nothing to set up; None without a key."""
        key = self.session_key or self.data_key
        return _carrier_key(key.get_secret_value()) if key else None

    @property
    def make_believe_desk_secret(self) -> str | None:
        """What the make-believe emergency desk and this gateway sign with; None without a key."""
        made = hashlib.sha256(b"hotline simulator desk" + self.make_believe_key) if self.make_believe_key else None
        return "whsec_" + b64encode(made.digest()).decode() if made else None

    @property
    def backup_key_bytes(self) -> bytes | None:
        """32 bytes, or None where backups go by the data key."""
        return _key_of(self.backup_key) if self.backup_key else None

    @field_validator("data_dir")
    @classmethod
    def _from_the_clone(cls, path: Path) -> Path:
        return ROOT / path

    @field_validator("trusted_proxies")
    @classmethod
    def _named_proxies(cls, words: str) -> str:
        try:
            networks = [ip_network(word.strip(), strict=False) for word in words.split(",") if word.strip()]
        except ValueError:
            raise ValueError("HOTLINE_TRUSTED_PROXIES 要写 IP 地址或网段，用逗号分开。") from None
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("HOTLINE_TRUSTED_PROXIES 不能写成所有地址：那样谁都能冒充别的地址。")
        return words

    @field_validator("backup_key")
    @classmethod
    def _readable_backup_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(_key_of(key)) != 32:
            raise ValueError("HOTLINE_BACKUP_KEY 应是 32 字节的 base64（openssl rand -base64 32）。")
        return key

    @field_validator("push_private_targets")
    @classmethod
    def _readable_targets(cls, words: str) -> str:
        try:
            for word in filter(None, (each.strip() for each in words.split(","))):
                if "/" in word:
                    ip_network(word)
                elif not (parts := urlsplit(f"//{word}")).hostname or parts.port == 0:
                    raise ValueError
        except ValueError:
            raise ValueError(
                "HOTLINE_PUSH_PRIVATE_TARGETS 写法不对：应为 主机、主机:端口 或网段（10.20.0.0/16），用逗号分开。"
            ) from None
        return words

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        ring = (self.ring_again_seconds, self.ring_everyone_seconds, self.ring_supervisor_seconds)
        steps = (*ring, self.bridge_after_seconds)
        if list(steps) != sorted(set(steps)):
            raise ValueError(
                "红色的几步要一步比一步晚：HOTLINE_RING_AGAIN_SECONDS、HOTLINE_RING_EVERYONE_SECONDS、HOTLINE_RING_SUPERVISOR_SECONDS、HOTLINE_BRIDGE_AFTER_SECONDS。"
            )
        if self.spool_reserved_mb >= self.spool_mb:
            raise ValueError("HOTLINE_SPOOL_RESERVED_MB 要比 HOTLINE_SPOOL_MB 小。")
        if self.shed_policy_seconds < self.shed_outreach_seconds:
            raise ValueError("HOTLINE_SHED_POLICY_SECONDS 不能比 HOTLINE_SHED_OUTREACH_SECONDS 小。")
        if self.orange_phone_minutes < self.orange_read_minutes:
            raise ValueError("HOTLINE_ORANGE_PHONE_MINUTES 不能比 HOTLINE_ORANGE_READ_MINUTES 早。")
        return self

    @model_validator(mode="after")
    def _reachable_general_desk(self) -> Self:
        if self.general_desk_url is None:
            return self
        if not _is_reachable(self.general_desk_url):
            raise ValueError("HOTLINE_GENERAL_DESK_URL 要用 https（http 只限本机）。")
        if len(_key_of(self.general_desk_secret)) < SHORTEST_SHARED_SECRET:
            raise ValueError(
                "写了 HOTLINE_GENERAL_DESK_URL，还要写 HOTLINE_GENERAL_DESK_SECRET：至少 24 字节的 base64。"
            )
        return self

    @field_validator("simulator_url")
    @classmethod
    def _on_this_machine(cls, url: str | None) -> str | None:
        if url and not (url.startswith("http://") and _is_reachable(url)):
            raise ValueError("HOTLINE_SIMULATOR_URL 只能是本机的 http 地址。")
        return url or None

    @model_validator(mode="after")
    def _known_carriers(self) -> Self:
        try:
            names = set(self.carriers)
        except ValueError:
            raise ValueError(
                "HOTLINE_CARRIER 写法不对：应为 simulator、twilio、cmpp，或 名字=权重 用逗号分开。"
            ) from None
        if not names or not names <= CARRIERS:
            raise ValueError(f"HOTLINE_CARRIER 只能是 {'、'.join(sorted(CARRIERS))}。")
        if "twilio" in names:
            missing = self._missing("twilio_account_sid", "twilio_auth_token")
            if not (self.twilio_from or self.twilio_messaging_service_sid):
                missing.append("HOTLINE_TWILIO_FROM 或 HOTLINE_TWILIO_MESSAGING_SERVICE_SID")
            if missing:
                raise ValueError(f"用 twilio 发短信还缺：{'、'.join(missing)}。")
        return self

    @model_validator(mode="after")
    def _whole_lines(self) -> Self:
        names = set(DOMESTIC_CARRIERS) & set(self.carriers)
        missing = self._missing(*(f"cmpp_{name}" for name in CMPP_NEEDS)) if "cmpp" in names else []
        missing += self._missing("cmpp2") if "cmpp2" in names else []
        if missing:
            raise ValueError(f"用 cmpp 发短信还缺：{'、'.join(missing)}。")
        try:
            lines = self.domestic
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False)
            fields = "、".join(f"HOTLINE_CMPP_{fault['loc'][0]}".upper() for fault in faults)
            raise ValueError(f"{fields} 写法不对：{'；'.join(str(fault['msg']) for fault in faults)}") from None
        ports = [line.door_port for line in lines.values()]
        if len({self.port, self.console_port, *ports}) < len(ports) + 2 and lines:
            raise ValueError("HOTLINE_CMPP_DOOR_PORT（和 HOTLINE_CMPP2 的 door_port）要各是一个空着的端口。")
        return self

    @model_validator(mode="after")
    def _reachable_desks(self) -> Self:
        for name, desk in self.bridge_desks.items():
            if not re.fullmatch(r"(?:110|119|120|122)@53[0-9]{4}", name, re.ASCII):
                raise ValueError(f"HOTLINE_BRIDGE_DESKS 的键 {name[:20]} 不对：应为 服务@行政区划代码，如 110@530600。")
            if desk.url is None and desk.phone is None:
                raise ValueError(f"HOTLINE_BRIDGE_DESKS 的 {name} 要写 url 和 secret，或者 phone。")
            if desk.url is not None and not _is_reachable(desk.url):
                raise ValueError(f"HOTLINE_BRIDGE_DESKS 的 {name}：url 要用 https（http 只限本机）。")
            if desk.url is not None and len(_key_of(desk.secret)) < SHORTEST_SHARED_SECRET:
                raise ValueError(f"HOTLINE_BRIDGE_DESKS 的 {name}：secret 至少要 24 字节的 base64。")
        if self.bridge_live and not self.bridge_desks and not self.bridge_text_12110:
            raise ValueError("HOTLINE_BRIDGE_LIVE=true 要写明接警台（HOTLINE_BRIDGE_DESKS），不会用模拟的接警台顶替。")
        if self.bridge_live and any(self._is_make_believe(desk) for desk in self.bridge_desks.values()):
            raise ValueError(
                "HOTLINE_BRIDGE_LIVE=true 时 HOTLINE_BRIDGE_DESKS 不能指向模拟的接警台，也不能用它的 secret 或本机自己的密钥。"
            )
        if self.bridge_live and self.voice == "simulator" and any(desk.phone for desk in self.bridge_desks.values()):
            raise ValueError("HOTLINE_BRIDGE_LIVE=true 时不能用模拟电话，请把 HOTLINE_VOICE 改成真的线路或 none。")
        if self.bridge_live and "simulator" in self.carriers:
            raise ValueError("HOTLINE_BRIDGE_LIVE=true 时不能用模拟运营商：会把编的短信报给真的接警台。")
        return self

    def _missing(self, *names: str) -> list[str]:
        return [f"HOTLINE_{name.upper()}" for name in names if not getattr(self, name)]

    def _is_make_believe(self, desk: DeskSettings) -> bool:
        """Whether it is the make-believe desk, or signs with its secret or a key of our own, wherever its address is."""
        ours = {
            _key_of(key) for key in (self.make_believe_desk_secret, self.session_key, self.data_key, self.bot_secret)
        }
        return "/simulator/" in (desk.url or "") or (desk.secret is not None and _key_of(desk.secret) in ours - {b""})

    @model_validator(mode="after")
    def _known_voice(self) -> Self:
        if self.voice not in VOICES:
            raise ValueError(f"HOTLINE_VOICE 只能是 {'、'.join(sorted(VOICES))}。")
        if self.voice == "twilio":
            missing = self._missing("twilio_account_sid", "twilio_auth_token", "voice_from")
            if missing:
                raise ValueError(f"用 twilio 打电话还缺：{'、'.join(missing)}。")
        if self.production and self.voice == "simulator" and "voice" in self.model_fields_set:
            raise ValueError("生产模式不能用模拟电话，请把 HOTLINE_VOICE 改成真的线路或 none。")
        if self.production and self.voice in OVERSEAS_CARRIERS and not self.cross_border_assessed:
            raise ValueError("境外语音要先做个人信息出境安全评估，并在 HOTLINE_CROSS_BORDER_ASSESSED 写明评估文号。")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if not self.production:
            return self
        if "simulator" in self.carriers:
            raise ValueError("生产模式不能用模拟运营商，请把 HOTLINE_CARRIER 改成真的通道。")
        if self.demo_data and "demo_data" in self.model_fields_set:
            raise ValueError("生产模式不能带演示数据，请去掉 HOTLINE_DEMO_DATA。")
        missing = self._missing("data_key", "session_key", "bot_secret", "public_url", "console_url")
        if missing:
            raise ValueError(f"生产模式还缺：{'、'.join(missing)}。")
        if not all(_is_reachable(url or "") for url in (self.public_url, self.console_url)):
            raise ValueError("生产模式的 HOTLINE_PUBLIC_URL 和 HOTLINE_CONSOLE_URL 要写 https 开头的网址。")
        if OVERSEAS_CARRIERS & set(self.carriers) and not self.cross_border_assessed:
            raise ValueError("境外通道要先做个人信息出境安全评估，并在 HOTLINE_CROSS_BORDER_ASSESSED 写明评估文号。")
        return self


@lru_cache(maxsize=4)
def _carrier_key(key: str) -> bytes:
    """Asked for with each text and receipt."""
    return hmac.digest(key.encode(), b"hotline simulator carrier", hashlib.sha256)


def _is_reachable(url: str) -> bool:
    """Whether it is https, or http on this very machine."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


def _key_of(secret: SecretStr | str | None) -> bytes:
    """The bytes that are signed with; empty for what is no base64."""
    written = secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""
    try:
        return b64decode(written.removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""


class SettingsAreWrong(SystemExit):
    """The start is refused with one clear sentence."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """This process's settings; ends the process with one sentence when they do not hold together."""
    return read_settings({})


def read_settings(known: Mapping[str, str]) -> Settings:
    """The settings with what is `known` beside the environment, by field. Raises `SettingsAreWrong`."""
    try:
        return Settings(**known)  # type: ignore[arg-type]  # as the environment would give them
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)  # messages only: a value may be a secret
        sentences = [f"{'.'.join(str(part) for part in fault['loc'])} {fault['msg']}".strip() for fault in faults]
        raise SettingsAreWrong("设置有误 / settings: " + "；".join(sentences)) from None
