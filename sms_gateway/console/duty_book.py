"""值守通讯录: who answers in each county day and night, what is red, and the monthly test calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway import regions
from sms_gateway.bridge import duty_book, duty_import, testing_posts
from sms_gateway.bridge.duty_book import CountyStanding, PostNotFound
from sms_gateway.bridge.models import DutyPost
from sms_gateway.database import transaction
from sms_gateway.errors import HotlineError
from sms_gateway.operators import roster
from sms_gateway.operators.reach import region_of
from sms_gateway.regions import Region
from sms_gateway.settings import get_settings
from sms_gateway.tickets import scope

from . import pages
from .ids import Id
from .seat import KeepingDutyBook, Seat, SeeingDutyBook
from .ticket_room import done

router = APIRouter()
PAGE = "/duty-book"
SHOWS = {"": "全部", "red": "有变红的", "missing": "缺类别的", "empty": "一条都没有的"}
Words = Annotated[str, Form(max_length=2000)]
Adcode = Annotated[str, Form(max_length=12)]
Place = Annotated[str, Query(max_length=12)]


class NotYourPlace(HotlineError):
    status_code = 403
    sentence = "这个地方的通讯录不归你管。"


@router.get(PAGE)
async def show_book(seat: SeeingDutyBook, show: Annotated[str, Query(max_length=12)] = "") -> Response:
    """Every county by prefecture: how many posts, what is red, untested or missing."""
    async with transaction() as session:
        found = await duty_book.standings(session)
    show = show if show in SHOWS else ""
    counties = [found[place.adcode] for place in regions.list_regions("county")]
    groups = []
    for place in regions.list_regions("prefecture"):
        within = [(one, found[one.adcode]) for one in _below(place) if _is_shown(found[one.adcode], show)]
        groups.append((place, found[place.adcode], sorted(within, key=lambda pair: _pressing(pair[1]))))
    groups.sort(
        key=lambda group: min(_pressing(one) for one in (group[1], *(standing for _place, standing in group[2])))
    )
    return pages.render(
        "duty_book.html", seat=seat, show=show, shows=SHOWS, groups=groups, province=found["530000"], kinds=duty_book.KINDS,
        posts=sum(one.posts for one in found.values()), red=sum(one.red for one in found.values()),
        red_counties=sum(one.red > 0 for one in counties), due=sum(one.due for one in found.values()),
        missing=sum(bool(one.missing) for one in counties), empty=sum(one.posts == 0 for one in counties), counties=len(counties),
    )  # fmt: skip


def _pressing(one: CountyStanding) -> int:
    """Red first, then what has posts, then what is empty; equals keep the order of their codes."""
    return 0 if one.red else 1 if one.posts else 2


def _below(place: Region) -> list[Region]:
    return regions.list_regions("county", place.adcode)


def _is_shown(one: CountyStanding, show: str) -> bool:
    return {"red": one.red > 0, "missing": bool(one.missing), "empty": one.posts == 0}.get(show, True)


@router.get(f"{PAGE}/due")
async def show_due(seat: SeeingDutyBook, region: Place = "") -> Response:
    """What is to be tested this month, the longest untested first."""
    place = regions.get_region(region).adcode if region else ""
    async with transaction() as session:
        posts, number = await duty_book.list_due(session, within=place)
    return pages.render(
        "duty_book_due.html", seat=seat, posts=posts, number=number, place=place, kinds=duty_book.KINDS,
        results=duty_book.RESULTS, choices=regions.list_regions("prefecture"), by_machine=_may_call(),
        by_hand_only=testing_posts.is_emergency_line,
    )  # fmt: skip


@router.get(f"{PAGE}/import")
async def show_import(seat: KeepingDutyBook) -> Response:
    """Where a whole table is taken in."""
    return _import_page(seat, None)


@router.post(f"{PAGE}/import")
async def take_table(seat: KeepingDutyBook, table: Annotated[UploadFile, File()]) -> Response:
    """Take in every line that is right; the page says which were refused, and why."""
    content = await table.read(duty_import.LARGEST + 1)
    async with transaction() as session:
        report = await duty_import.take_in(
            session, content, by=seat.operator.id, may_keep=lambda adcode: _keeps(seat, adcode)
        )
    return _import_page(seat, report)


def _import_page(seat: Seat, report: duty_import.Report | None) -> Response:
    return pages.render(
        "duty_book_import.html", seat=seat, report=report, kinds=duty_book.KINDS, columns=duty_import.COLUMNS
    )


@router.get(PAGE + "/{region_id}")
async def show_county(region_id: str, seat: SeeingDutyBook) -> Response:
    """One place's book with the last test calls of each post."""
    place = regions.get_region(region_id)
    async with transaction() as session:
        posts = await duty_book.list_of(session, place.adcode)
        standing = (await duty_book.standings(session))[place.adcode]
        tests = await duty_book.list_tests(session, [one.id for one in posts])
        callers = {test.by for found in tests.values() for test in found if test.by is not None}
        named = await roster.name_operators(session, callers)
    return pages.render(
        "duty_book_county.html", seat=seat, place=place, posts=posts, standing=standing, tests=tests, named=named, kinds=duty_book.KINDS,
        results=duty_book.RESULTS, keeps=_keeps(seat, place.adcode), by_machine=_may_call(), by_hand_only=testing_posts.is_emergency_line,
        parent=regions.get_region(place.parent_adcode) if place.parent_adcode else None,
    )  # fmt: skip


def _keeps(seat: Seat, adcode: str) -> bool:
    return seat.may("keep_duty_book") and scope.lies_in(adcode, region_of(seat.operator.unit))


def _may_call() -> bool:
    """Whether a machine can make the test call."""
    return testing_posts.may_test(get_settings())


@router.post(PAGE + "/{region_id}/add")
async def add(request: Request, region_id: str, seat: KeepingDutyBook, *, kind: Words = "", name: Words = "", phone: Words = "", hours: Words = "") -> Response:  # fmt: skip
    """A new line."""
    place = regions.get_region(region_id)
    if not _keeps(seat, place.adcode):
        raise NotYourPlace
    async with transaction() as session:
        await duty_book.add(
            session, region=place.adcode, kind=kind, name=name, phone=phone, hours=hours, by=seat.operator.id
        )
    return done(request, f"{PAGE}/{place.adcode}")


async def _post(session: AsyncSession, seat: Seat, post_id: int) -> DutyPost:
    post = await duty_book.get_post(session, post_id)
    if not _keeps(seat, post.region):
        raise PostNotFound
    return post


@router.post(PAGE + "/posts/{post_id}/mend")
async def mend(request: Request, post_id: Id, seat: KeepingDutyBook, *, name: Words = "", phone: Words = "", hours: Words = "") -> Response:  # fmt: skip
    """Another name, another number, other hours."""
    async with transaction() as session:
        region = (await _post(session, seat, post_id)).region
        await duty_book.mend(session, post_id, name=name, phone=phone, hours=hours, by=seat.operator.id)
    return done(request, f"{PAGE}/{region}")


@router.post(PAGE + "/posts/{post_id}/end")
async def end(request: Request, post_id: Id, seat: KeepingDutyBook) -> Response:
    """Nobody answers there any more."""
    async with transaction() as session:
        region = (await _post(session, seat, post_id)).region
        await duty_book.end(session, post_id, by=seat.operator.id)
    return done(request, f"{PAGE}/{region}")


@router.post(PAGE + "/posts/{post_id}/test")
async def note_test(request: Request, post_id: Id, seat: SeeingDutyBook, *, result: Words = "", words: Words = "", back: Words = "") -> Response:  # fmt: skip
    """A test call made by hand."""
    async with transaction() as session:
        region = (await duty_book.get_post(session, post_id)).region
        await duty_book.note_test(session, post_id, result=result, words=words, by=seat.operator.id)
    return done(request, f"{PAGE}/due" if back == "due" else f"{PAGE}/{region}")


@router.post(PAGE + "/posts/{post_id}/call")
async def call(request: Request, post_id: Id, seat: SeeingDutyBook, back: Words = "") -> Response:
    """A test call made by the machine; its result comes by itself."""
    async with transaction() as session:
        region = (await duty_book.get_post(session, post_id)).region
        await testing_posts.begin(session, post_id, seat.operator.id)
    return done(request, f"{PAGE}/due" if back == "due" else f"{PAGE}/{region}")
