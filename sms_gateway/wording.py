"""The fixed texts people receive, by key, from `wording.yml`: checked once, then only filled in."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from sms_gateway.errors import HotlineError

SIGNATURE = "【云南12345】"
"""What the mainland carriers demand in front of every text; the outbox adds it for SMS."""

ONE_SEGMENT = 70
"""UCS-2 units of a single SMS."""

WORDING_FILE = Path(__file__).with_name("wording.yml")

FORBIDDEN = ("自杀", "性侵", "强奸", "吸毒", "报复")
"""Words the carriers' content filters stop, and that must not light up a locked screen (PRACTICE section 3)."""


class WordingError(HotlineError):
    """The wording file does not hold what it must. Shown whole: it speaks of keys, never of a person's text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.args = (sentence,)


class UnknownWording(WordingError):
    """There is no fixed text under this key."""


class MissingValue(WordingError):
    """A fixed text was asked for without a value it needs."""


@dataclass(frozen=True)
class Wording:
    """All fixed texts, with an example for each placeholder (the longest value that may come)."""

    texts: Mapping[str, str]
    examples: Mapping[str, str]

    def say(self, key: str, values: Mapping[str, object]) -> str:
        """The text of `key` filled in. Raises `UnknownWording`, or `MissingValue` naming the placeholder."""
        template = self.texts.get(key)
        if template is None:
            raise UnknownWording(f"固定短信里没有 {key} 这一条")
        missing = sorted(placeholders(template) - values.keys())
        if missing:
            raise MissingValue(f"{key} 还缺：{'、'.join(missing)}")
        return template.format_map(values)

    def example(self, key: str) -> str:
        """The text of `key` filled with the example values: the longest it gets."""
        return self.say(key, self.examples)


def placeholders(template: str) -> frozenset[str]:
    """The names in braces. Raises `WordingError` for an unclosed brace or anything but a plain name."""
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(template)]
    except ValueError as error:
        raise WordingError("花括号没有成对") from error
    names = [field for field in fields if field[0] is not None]
    if any(not name or not name.isidentifier() or spec or conversion for name, spec, conversion in names):
        raise WordingError("花括号里只能写一个词")
    return frozenset(name for name, _, _ in names if name)


def read(raw: object) -> Wording:
    """`raw` (the parsed file) as a checked `Wording`. Raises `WordingError` with one line for each fault."""
    if not isinstance(raw, dict) or set(raw) != {"examples", "texts"}:
        raise WordingError("要有、也只能有 examples 和 texts 两部分")
    parts: list[dict[str, str]] = []
    for part in ("texts", "examples"):
        entries = raw[part]
        if not isinstance(entries, dict) or not all(
            isinstance(k, str) and isinstance(v, str) for k, v in entries.items()
        ):
            raise WordingError(f"{part}：每一条都要是文字（数字请加引号）")
        parts.append({key: value.strip() for key, value in entries.items()})
    wording = Wording(texts=parts[0], examples=parts[1])
    faults = [f"{key}：{fault}" for key in wording.texts for fault in faults_of(wording, key)]
    if faults:
        raise WordingError("；".join(faults))
    return wording


def faults_of(wording: Wording, key: str) -> list[str]:
    """What is wrong with one text: empty, a strange placeholder, too long, signed, a forbidden word."""
    template = wording.texts[key]
    if not template:
        return ["是空的"]
    try:
        unknown = placeholders(template) - wording.examples.keys()
    except WordingError as error:
        return [error.sentence]
    if unknown:
        return [f"examples 里没有：{'、'.join(sorted(unknown))}"]
    faults = []
    length = ucs2_units(SIGNATURE + wording.example(key))
    if length > ONE_SEGMENT:
        faults.append(f"加签名有 {length} 个字，一条短信只放得下 {ONE_SEGMENT} 个")
    if SIGNATURE in template:
        faults.append("不要写签名，发的时候会加")
    faults += [f"有“{word}”，运营商会拦，也不能露在锁屏上" for word in FORBIDDEN if word in template]
    return faults


def ucs2_units(text: str) -> int:
    """Length as a phone counts it; ground files may not import `messages.segments`."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@cache
def load() -> Wording:
    """The wording file, read and checked once a process."""
    return read(yaml.safe_load(WORDING_FILE.read_text(encoding="utf-8")))


def say(key: str, **values: object) -> str:
    """The fixed text `key` with its placeholders filled in, without the signature.

    Raises `UnknownWording` for an unknown key and `MissingValue` when a placeholder has no value.
    """
    return load().say(key, values)


def keys() -> frozenset[str]:
    """Every key of the wording file."""
    return frozenset(load().texts)
