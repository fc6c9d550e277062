"""The table of shortcuts and the keys that the script hears are the same."""

from __future__ import annotations

import re
from pathlib import Path

import sms_gateway

PACKAGE = Path(sms_gateway.__file__).parent
HEARD_ELSEWHERE = {"Enter", "Shift", "Esc", "⇧", "1", "9"}
"""In the composer, and the digits for canned replies."""


def test_every_shortcut_is_in_the_table_and_the_table_promises_no_other() -> None:
    script = (PACKAGE / "static/console.js").read_text(encoding="utf-8")
    keys = re.search(r"^const KEYS = \{$(.*?)^\};$", script, re.DOTALL | re.MULTILINE)
    assert keys
    heard = {key.upper() for key in re.findall(r'^  "?([^\s":])"?: ', keys.group(1), re.MULTILINE)}
    page = (PACKAGE / "console/templates/base.html").read_text(encoding="utf-8")
    table = re.search(r'<dl class="keys">(.*?)</dl>', page, re.DOTALL)
    assert table
    told = set(re.findall(r"<kbd>([^<]+)</kbd>", table.group(1)))
    assert len(heard) > 10 and told >= HEARD_ELSEWHERE
    assert told - HEARD_ELSEWHERE == heard
