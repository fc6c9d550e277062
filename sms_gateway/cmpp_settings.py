"""What one CMPP line needs to know: the gateway, the account, the pace."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

MEANINGS = ("delivered", "undelivered", "blocked", "failed")


class CmppSettings(BaseModel):
    """One line to a mainland carrier's gateway. Names are the operator's: `source_addr` 企业代码, `service_id` 业务代码, `src_id` 接入号."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1)
    """The gateway's address; several of one account (main and spare) with commas, each with a port of its own if need be: `a,b:7891`."""
    port: int = Field(default=7890, ge=1, le=65535)
    source_addr: str
    shared_secret: SecretStr
    service_id: str
    src_id: str
    connections: int = Field(default=1, ge=1, le=64)
    window: int = Field(default=16, ge=1, le=512)
    segments_per_second: float = Field(default=100.0, gt=0)
    version: Literal["2.0", "3.0"] = "3.0"
    extension_digits: int = Field(default=4, ge=0, le=8)
    """Digits behind the access number that say which broadcast a text is of; 0 where the gateway allows none."""
    fee_type: str = "01"
    fee_code: str = "000000"
    checks_gateway: bool = False
    """Refuse a gateway that does not prove it knows our secret; off, since vendors compute the proof differently (it is logged)."""
    throttled: frozenset[int] = frozenset({8})
    """Results of SUBMIT_RESP that mean 太快了, this vendor's own among them (100-199)."""
    words: dict[str, str] = Field(default_factory=dict)
    """This account's own meanings of words in status reports, before ours (`carriers/cmpp/words.py`)."""
    door_port: int = Field(default=8002, ge=1, le=65535)
    """Where the line's own process takes texts from the others, on 127.0.0.1."""

    @property
    def gateways(self) -> list[tuple[str, int]]:
        """Host and port of each gateway of the account."""
        found = []
        for part in filter(None, (each.strip() for each in self.host.split(","))):
            host, colon, port = part.rpartition(":")
            found.append((host, int(port)) if colon and port.isdigit() else (part, self.port))
        return found

    @property
    def door_url(self) -> str:
        return f"http://127.0.0.1:{self.door_port}"

    @field_validator("source_addr")
    @classmethod
    def _six_characters(cls, word: str) -> str:
        if not re.fullmatch(r"[0-9A-Za-z]{1,6}", word, re.ASCII):
            raise ValueError("企业代码（SOURCE_ADDR）是 1 到 6 位数字或字母。")
        return word

    @field_validator("service_id")
    @classmethod
    def _ten_characters(cls, word: str) -> str:
        if not (0 < len(word) <= 10 and word.isascii() and word.isprintable()):
            raise ValueError("业务代码（SERVICE_ID）是 1 到 10 个字符。")
        return word

    @field_validator("src_id")
    @classmethod
    def _digits(cls, word: str) -> str:
        if not re.fullmatch(r"[0-9]{3,20}", word, re.ASCII):
            raise ValueError("接入号（SRC_ID）是 3 到 20 位数字。")
        return word

    @field_validator("words")
    @classmethod
    def _our_states(cls, words: dict[str, str]) -> dict[str, str]:
        if not set(words.values()) <= set(MEANINGS):
            raise ValueError(f"WORDS 的含义只能是 {'、'.join(MEANINGS)}。")
        return {word.upper(): meaning for word, meaning in words.items()}
