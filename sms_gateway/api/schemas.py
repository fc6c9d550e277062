"""What the REST API takes and gives. Every field has its words in the OpenAPI description (`/api/openapi.json`)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sms_gateway.tickets.lifecycle import Status

LONGEST_WORDS = 4000


def _has_words(text: str) -> str:
    if not text.strip() or "\x00" in text:
        raise ValueError("empty")
    return text.strip()


Words = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_WORDS, pattern=r"\S"), AfterValidator(_has_words)
]
"""Something a person writes; never only blanks."""
TicketNumber = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{7}$")]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,12}@[0-9]{6}$")]
Version = Annotated[int, Field(ge=1, le=1_000_000, description="读到的版本；工单已被别人动过时回 409")]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class Move(In):
    """A move that needs nothing but the version that was read."""

    version: Version


class Return(Move):
    why: Words = Field(description="为什么不归本单位")
    duty: UnitCode = Field(description="应该归哪个单位")


class Ask(Move):
    question: Words = Field(description="要来信人补充什么；值班员看过才发")


class Reply(Move):
    words: Words = Field(description="答复")
    attachments: list[Annotated[int, Field(ge=1, le=2**53)]] = Field(
        default=[], max_length=5, description="先上传的附件编号"
    )


class MoreTime(Move):
    until: date = Field(description="延到哪一天下班时")
    reason: Words


class BulkItem(In):
    number: TicketNumber
    version: Version


class Bulk(In):
    """The same move for several tickets; each stands or falls by itself."""

    tickets: list[BulkItem] = Field(min_length=1, max_length=100)


class BulkReply(Bulk):
    words: Words


class Trouble(BaseModel):
    """Every error: one Chinese sentence, and the fields that are wrong where there are any."""

    error: str
    fields: list[str] | None = None


class BulkResult(BaseModel):
    number: str
    ok: bool
    status: int = Field(description="200，或者这一单单独做会得到的 HTTP 状态码")
    error: str | None = None
    version: int | None = None


class BulkOut(BaseModel):
    results: list[BulkResult]


class ChildOut(BaseModel):
    age: int | None
    sex: str | None = Field(description="m 男，f 女")


class AttachmentOut(BaseModel):
    id: int
    name: str
    kind: str
    size: int = Field(description="字节")
    sha256: str
    at: datetime


class TicketOut(BaseModel):
    """A ticket as the key's unit sees it; what was said is reworded so that it does not show who said it."""

    number: str
    version: int
    kind: str
    lane: str
    status: Status
    category: str | None
    category_name: str | None
    place: str
    place_name: str
    level: str
    unit: str | None
    in_hand: bool = Field(description="现在由本单位主办")
    urgent: bool
    received_at: datetime
    due_at: datetime
    sign_due_at: datetime | None
    signed_at: datetime | None
    overdue: bool
    returns: int
    extensions: int
    may: list[Status] = Field(description="本单位现在能把它移到哪些状态")
    words: dict[str, str] = Field(description="登记的内容，键是问句")
    children: list[ChildOut]


class Page(BaseModel):
    """The newest first. `next`: pass it as `before` for the page after this one; null: there is none."""

    tickets: list[TicketOut]
    next: str | None


class EventOut(BaseModel):
    seq: int
    what: str
    at: datetime
    from_status: str | None
    to_status: str | None
    by: str = Field(description="system、desk（12345 值班台）、person（来信人）、unit（本单位）、other_unit")
    words: str | None = Field(description="本单位写的话，或值班台写给本单位的话")


class EventsOut(BaseModel):
    events: list[EventOut]


class PulledEvents(BaseModel):
    """CloudEvents 1.0 in JSON, in order. `next`: pass it as `after`."""

    events: list[dict[str, Any]]
    next: int
    more: bool = Field(description="现在还有；events 空着也可能还有")


class UnitOut(BaseModel):
    code: str
    name: str
    level: str
    region: str


class UnitsOut(BaseModel):
    units: list[UnitOut]


class CategoryOut(BaseModel):
    code: str
    name: str
    branch: str
    basis: str
    code12345: str


class CategoriesOut(BaseModel):
    categories: list[CategoryOut]


class Me(BaseModel):
    unit: str
    unit_name: str
    level: str
    key: str = Field(description="密钥的名字")


class Requested(BaseModel):
    """An extension was asked for; the shift lead decides."""

    id: int
    until: datetime
