"""Whether a short answer reads easily enough for a ten-year-old. Pure.

The measure is simple on purpose, so that an editor can see at once what to mend. Of the short answer, without the
sources in the closing brackets and without titles in 《》:

- no sentence longer than `LONGEST_SENTENCE` characters (a sentence ends at 。！？；);
- no run longer than `LONGEST_RUN` characters without any pause (，、： and the like);
- at most `MOST_RARE` different rare characters. Rare is what does not belong to the 3,755 characters of the first
  level of GB 2312, the ones in daily use: a child of ten has met most of these at school (语文课程标准: about 3,000).
"""

from __future__ import annotations

import re

LONGEST_SENTENCE = 60
LONGEST_RUN = 32
MOST_RARE = 2

_SOURCES = re.compile(r"[（(][^（）()]*[）)]。?$")
_TITLE = re.compile("《[^》]*》")
_SENTENCE = re.compile("[。！？；!?;\n]")
_PAUSE = re.compile(r"[。！？；!?;\n，、：,:（）()“”—\s]")


def is_rare(character: str) -> bool:
    """Whether a Chinese character lies outside GB 2312's first level (rows 16 to 55)."""
    if not "\u4e00" <= character <= "\u9fff":
        return False
    written = character.encode("gb18030")
    return len(written) != 2 or not 0xB0 <= written[0] <= 0xD7 or written[1] < 0xA1


def reading_problems(short: str) -> list[str]:
    """What makes `short` hard to read, each with what to do; none for an easy one."""
    body = _TITLE.sub("", _SOURCES.sub("", short))
    sentence = max((part.strip() for part in _SENTENCE.split(body)), key=len)
    run = max((part.strip() for part in _PAUSE.split(body)), key=len)
    rare = sorted({character for character in body if is_rare(character)})
    problems = []
    if len(sentence) > LONGEST_SENTENCE:
        problems.append(f"有一句 {len(sentence)} 个字，最多 {LONGEST_SENTENCE} 个：“{sentence[:12]}…”，拆成两句")
    if len(run) > LONGEST_RUN:
        problems.append(f"有 {len(run)} 个字没有停顿，最多 {LONGEST_RUN} 个：“{run[:12]}…”，加逗号或换短的说法")
    if len(rare) > MOST_RARE:
        problems.append(f"生僻字太多：{'、'.join(rare)}，换常用字")
    return problems
