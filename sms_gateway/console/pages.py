"""Jinja2 with autoescape on: the pages' words, times and marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from sms_gateway import clock, regions, tracing
from sms_gateway.contacts.models import Channel, Contact
from sms_gateway.contacts.phone import masked
from sms_gateway.conversations.records import UNITS
from sms_gateway.departments import categories, units
from sms_gateway.errors import HotlineError
from sms_gateway.messages import segments
from sms_gateway.settings import get_settings
from sms_gateway.wording import SIGNATURE, say

from . import outreach_words, reasons, words
from .seat import Seat

TEMPLATES = Path(__file__).with_name("templates")
LIMITS = {
    "single": segments.SINGLE,
    "part": segments.PART,
    "signature": SIGNATURE,
    "fen": lambda: get_settings().segment_price_fen,
}
"""What a text may be long and costs, for the counter beside the input; `fen` for one segment."""
MATTER = re.compile(r"/(?:tickets|work|talks)/[0-9]{1,19}(?=/)", re.ASCII)
PAGES = re.compile(r"/(?:handover|account|accounts|team|handbook|outreach|duty-book|review|follow|pushes|work)(?=/)")
QUOTED = re.compile("“([^”]+)”")


@cache
def environment() -> Environment:
    """The templates, with the words of `words` as `w`."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        w=words,
        units=UNITS,
        say=say,
        limits=LIMITS,
        reasons=reasons.REASONS,
        child_reasons=reasons.FOR_A_CHILD,
        talk_reasons=reasons.FOR_A_TALK,
        o=outreach_words,
    )
    made.filters.update(
        desk=desk_name,
        hm=lambda at: f"{clock.shanghai(at):%H:%M}",
        hms=lambda at: f"{clock.shanghai(at):%H:%M:%S}",
        day=_day,
        ms=lambda at: int(at.timestamp() * 1000),
        iso=lambda at: clock.shanghai(at).isoformat(timespec="seconds"),
        address=address,
        region=place_name,
        unsigned=lambda body: body.removeprefix(SIGNATURE),
        marked=marked,
        masked_name=reasons.masked_name,
        unit=unit_name,
        category=category_name,
        **outreach_words.FILTERS,
    )
    return made


def _day(at: datetime) -> str:
    """今天 14:05, 11-22 14:05, 2025-11-22."""
    local, today = clock.shanghai(at), clock.shanghai(clock.now())
    if local.date() == today.date():
        return f"今天 {local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"


def address(contact: Contact) -> str:
    """The contact for people to see: 138****0001, or that it is a visitor of the web page."""
    if contact.channel == Channel.DESK:
        return desk_name(contact.address.partition("/")[0])
    return masked(contact.address) if contact.channel == Channel.SMS else f"访客 {contact.id}"


def desk_name(desk: str) -> str:
    """`110@530600` as 昭通市 110."""
    service, _, adcode = desk.partition("@")
    return f"{place_name(adcode)} {service}".strip()


def place_name(adcode: str | None) -> str:
    """昭通市镇雄县; empty for None or a code we do not know."""
    try:
        return regions.full_name(adcode) if adcode else ""
    except regions.RegionNotFound:
        return ""


def unit_name(code: str | None) -> str:
    """镇雄教育体育局; empty for None, the code itself where it is none of ours."""
    try:
        return units.get_unit(code).short_name if code else ""
    except HotlineError:
        return code or ""


def category_name(code: str | None) -> str:
    """The category's name; empty for None or a code that is none."""
    found = categories.load().categories.get(code or "")
    return found.name if found else ""


def marked(text: str, reasons: Iterable[str] | None) -> Markup:
    """`text` escaped, with the words that triage's `reasons` quote in <mark>; blanks between them do not matter."""
    quoted = {word for reason in reasons or () for word in QUOTED.findall(reason)}
    patterns = [r"\s*".join(re.escape(sign) for sign in word if not sign.isspace()) for word in quoted]
    longest_first = sorted(filter(None, patterns), key=len, reverse=True)
    if not longest_first:
        return escape(text)
    made, end = Markup(), 0
    for found in re.finditer("|".join(longest_first), text, re.IGNORECASE):
        made += escape(text[end : found.start()]) + Markup("<mark>{}</mark>").format(found.group())
        end = found.end()
    return made + escape(text[end:])


def render(
    template: str, /, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """A template as an answer."""
    body = environment().get_template(template).render(now=clock.now(), **values)
    return HTMLResponse(body, status_code=status, headers=headers)


def page_of(path: str) -> str:
    """The page an act was done on, by the act's address; the front page where that does not say."""
    found = MATTER.match(path) or PAGES.match(path)
    return found.group() if found is not None else "/"


def way_back(path: str, seat: Seat | None) -> tuple[str, str]:
    """(address, words) to go on from an error: the matter itself after an act on it, else the seat's first page."""
    matter = MATTER.match(path)
    if seat is not None and matter is not None:
        return matter.group(), "刷新，看最新的"
    return (seat.home if seat is not None else "/"), "回到首页" if seat is not None and seat.home != "/" else "回到队列"


def say_trouble(request: Request, error: HotlineError, seat: Seat | None) -> HTMLResponse:
    """An error as a page."""
    return render(
        "trouble.html", status=error.status_code, seat=seat, sentence=error.sentence, code=error.status_code,
        path=request.url.path, back=way_back(request.url.path, seat), trace=tracing.current(),
    )  # fmt: skip
