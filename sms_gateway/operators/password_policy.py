"""Which passwords are taken. Pure but for the list of common ones.

OWASP ASVS 2.1: long rather than intricate, none that is guessed first, no rule about kinds of signs.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sms_gateway.errors import BadInput

SHORTEST = 12
LONGEST = 200
"""Signs; a Chinese sentence is welcome."""
FEWEST_DIFFERENT = 5
SHORTEST_LOGIN = 4
"""Shorter ones (li, he) stand in many an honest sentence."""
COMMON = Path(__file__).parents[1] / "data" / "common-passwords.txt"
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


class PasswordIsWeak(BadInput):
    """The sentence says why."""


@cache
def _common() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="utf-8").split("\n")) - {""}


def check(password: str, *, login: str, name: str) -> None:
    """Raises `PasswordIsWeak` for one that is short, common, or made of the account's own login or name."""
    if len(password) < SHORTEST:
        raise PasswordIsWeak(f"密码至少要 {SHORTEST} 位。写一句只有自己知道的话最好。")
    if len(password) > LONGEST:
        raise PasswordIsWeak(f"密码最长 {LONGEST} 位。")
    small = password.lower()
    own = [*([login] if len(login) >= SHORTEST_LOGIN else []), *([name] if len(name) > 1 else [])]
    if any(word.lower() in small for word in own):
        raise PasswordIsWeak("密码里不要有账号或姓名。")
    if is_common(small):
        raise PasswordIsWeak("这个密码太常见，一猜就中。写一句只有自己知道的话最好。")


def is_common(small: str) -> bool:
    """Whether it is, in small letters, a common password, one with digits or signs around it, one written twice, or few signs again and again."""
    bare, half = _ENDS.sub("", small), small[: len(small) // 2]
    guessed_first = {small, bare, half if half * 2 == small else small}
    return len(set(small)) < FEWEST_DIFFERENT or not guessed_first.isdisjoint(_common())
