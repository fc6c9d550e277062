"""What carriers bring to our door, in our words: texts and receipts, and how a form may be wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sms_gateway.errors import BadInput

MAX_FIELDS = 200
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class FormIsIncomplete(BadInput):
    """A signed form without a field it must have. `fields` are the carrier's names, never values."""

    sentence = "表单缺少必要的栏目，或写法不对。"

    def __init__(self, *fields: str) -> None:
        super().__init__()
        self.fields = fields


class FormCannotBeRead(BadInput):
    """Not a form at all."""

    sentence = "读不懂这份表单。"


@dataclass(frozen=True)
class TextIn:
    """A text as the carrier gave it; `sender` is not yet checked to be a number."""

    carrier: str
    carrier_id: str
    sender: str
    body: str
    extension: str | None = None
    """The digits behind our number that it was sent to, where the carrier tells."""


@dataclass(frozen=True)
class ReceiptIn:
    """What became of a text of ours: `state` in our words, `reference` our message id where the carrier gave it back."""

    carrier: str
    carrier_id: str
    state: str
    error: str | None
    reference: int | None
    person_refuses: bool = False
    """The person told the carrier that they want no texts of ours."""


def read_form(raw: bytes) -> dict[str, str]:
    """The fields of a form-encoded body; of a repeated field the last counts. Raises `FormCannotBeRead`."""
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError:  # not UTF-8, or too many fields
        raise FormCannotBeRead from None
    return dict(pairs)


def read_id(form: dict[str, str], field: str) -> str:
    """A carrier's id: 1-64 plain characters. Raises `FormIsIncomplete`."""
    value = form.get(field, "")
    if not _ID.fullmatch(value):
        raise FormIsIncomplete(field)
    return value


def read_reference(value: str | None) -> int | None:
    """Our message id as it came back in a callback's address; None when it is not one."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) <= 18 else None
