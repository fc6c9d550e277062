"""敏感图片: no preview, no download, no way to a department; two people open one, once, in time, and it all stands in the audit."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import timedelta

import httpx
import psycopg
import pytest
from alembic import command
from sqlalchemy import select, text
from sqlalchemy.orm import undefer

from sms_gateway.clock import HeldClock
from sms_gateway.crypto import opened_from
from sms_gateway.database import dispose, transaction
from sms_gateway.migrations import config
from sms_gateway.operators.models import AuditRow, Role
from sms_gateway.tickets import attachments, sealed_images, sealed_rules
from sms_gateway.tickets.models import Attachment, Ticket
from sms_gateway.tickets.sealed_models import ImageOpening, SealedImage
from tests.api.matters import give_key
from tests.gateway_client import app, gateway
from tests.telling import Person
from tests.tickets.test_attachments import PDF, png

from . import matters
from .conftest import Desk, SignIn

__all__ = ["app", "gateway"]
ORDINARY = "D13"
UNIT = f"unit:{matters.EDU}:1"
WHY = "伤口的位置要说给医院听"


async def put(ticket: Ticket, name: str = "手臂的伤.png", content: bytes | None = None, who: str = UNIT) -> int:
    """A file as a department's reply brings it."""
    async with transaction() as session:
        checked = attachments.check(name, content or png())
        row = await attachments.keep(session, await session.get_one(Ticket, ticket.id), checked, who=who)
        return row.id


async def stored(file_id: int) -> tuple[Attachment, SealedImage | None]:
    async with transaction() as session:
        wanted = select(Attachment).where(Attachment.id == file_id).options(undefer(Attachment.content_sealed))
        sealed = select(SealedImage).where(SealedImage.attachment_id == file_id)
        return (await session.scalars(wanted)).one(), await session.scalar(sealed)


@pytest.fixture
async def harm(person: Person) -> Ticket:
    return await matters.open_matter(person, kind="disclosure", lane="orange", category=None)


@pytest.fixture
async def asker(sign_in: SignIn) -> Desk:
    return await sign_in("yan", "普艳")


@pytest.fixture
async def lead(sign_in: SignIn) -> Desk:
    return await sign_in("banzhang", "杨丽萍", Role.SUPERVISOR)


async def asked(desk: Desk, ticket: Ticket, file_id: int) -> str:
    """The address of the asking."""
    answer = await desk.do(f"/tickets/{ticket.id}/files/{file_id}/ask", reason=WHY)
    assert answer.status_code == 204, answer.text
    async with transaction() as session:
        newest = await session.scalar(select(ImageOpening.id).order_by(ImageOpening.id.desc()).limit(1))
    return f"/tickets/{ticket.id}/openings/{newest}"


async def test_a_picture_in_an_ordinary_matter_is_a_download_and_never_a_preview(person: Person, asker: Desk) -> None:
    ticket = await matters.open_matter(person, category=ORDINARY)
    file_id = await put(ticket, "校门.png")
    got = await asker.see(f"/tickets/{ticket.id}/files/{file_id}")
    assert got.content == png() and got.headers["content-disposition"].startswith("attachment")
    assert "<img" not in (await asker.see(f"/tickets/{ticket.id}")).text


async def test_a_picture_in_a_matter_of_harm_is_sealed_as_it_comes(harm: Ticket, asker: Desk, database: str) -> None:
    file_id = await put(harm)
    row, sealed = await stored(file_id)
    assert row.content_sealed is None and sealed is not None and sealed.why == "matter"
    assert sealed.digest == hashlib.sha256(png()).hexdigest() == row.digest
    refused = await asker.see(f"/tickets/{harm.id}/files/{file_id}")
    assert refused.status_code == 403 and "敏感图片" in refused.text
    page = (await asker.see(f"/tickets/{harm.id}")).text
    assert f"敏感图片 {file_id}" in page and "手臂的伤" not in page and "<img" not in page
    assert f'/files/{file_id}"' not in page


async def test_a_pdf_of_harm_is_shut_like_a_picture_and_given_once_by_two(
    harm: Ticket, asker: Desk, lead: Desk
) -> None:
    file_id = await put(harm, "验伤报告.pdf", PDF)
    row, sealed = await stored(file_id)
    assert row.content_sealed is None and sealed is not None
    assert (await asker.see(f"/tickets/{harm.id}/files/{file_id}")).status_code == 403
    page = (await asker.see(f"/tickets/{harm.id}")).text
    assert f"敏感文件 {file_id}" in page and "验伤报告" not in page
    at = await asked(asker, harm, file_id)
    assert (await asker.do(f"{at}/open")).status_code == 409
    assert (await lead.do(f"{at}/approve")).status_code == 204
    given = await asker.do(f"{at}/open")
    assert given.content == PDF and given.headers["content-disposition"].startswith("attachment")
    assert "no-store" in given.headers["cache-control"] and (await asker.do(f"{at}/open")).status_code == 409


async def test_the_department_that_brought_it_has_it_no_more_on_its_page_or_by_api(
    person: Person, sign_in: SignIn, gateway: httpx.AsyncClient
) -> None:
    harm = await matters.dispatch(await matters.open_matter(person, category=ORDINARY), matters.EDU)
    async with transaction() as session:
        (await session.get_one(Ticket, harm.id)).sensitivity = "domestic_violence"
    unit = await sign_in("edu", "承办人", Role.DEPARTMENT, unit=matters.EDU)
    file_id = await put(harm)
    assert (await unit.see(f"/work/{harm.id}")).status_code == 200
    assert (await unit.see(f"/work/{harm.id}/files/{file_id}")).status_code == 403
    gateway.headers.update(await give_key(matters.EDU))
    answer = await gateway.get(f"/api/tickets/{harm.number}/attachments/{file_id}")
    assert answer.status_code == 403 and png() not in answer.content


async def test_a_matter_that_turns_out_to_be_harm_shuts_the_pictures_it_has(
    person: Person, asker: Desk, lead: Desk
) -> None:
    ticket = await matters.open_matter(person, category=ORDINARY)
    file_id = await put(ticket)
    assert (await asker.see(f"/tickets/{ticket.id}/files/{file_id}")).status_code == 200
    async with transaction() as session:
        (await session.get_one(Ticket, ticket.id)).sensitivity = "sexual"
    assert (await asker.see(f"/tickets/{ticket.id}/files/{file_id}")).status_code == 403
    await asked(asker, ticket, file_id)
    row, sealed = await stored(file_id)
    assert row.content_sealed is None and sealed is not None


async def test_what_somebody_marks_is_sealed_whatever_kind_it_is(person: Person, asker: Desk) -> None:
    ticket = await matters.open_matter(person, category=ORDINARY)
    file_id = await put(ticket, "验伤报告.pdf", PDF)
    assert (await asker.do(f"/tickets/{ticket.id}/files/{file_id}/seal")).status_code == 204
    _row, sealed = await stored(file_id)
    assert sealed is not None and (sealed.why, sealed.who) == ("marked", f"operator:{asker.operator.id}")
    assert (await asker.see(f"/tickets/{ticket.id}/files/{file_id}")).status_code == 403


async def test_two_people_open_it_once_on_a_page_of_its_own_and_all_of_it_is_kept(
    harm: Ticket, asker: Desk, lead: Desk
) -> None:
    file_id = await put(harm)
    at = await asked(asker, harm, file_id)
    assert (await asker.do(f"{at}/open")).status_code == 409
    assert (await asker.do(f"{at}/approve")).status_code == 403  # not their role
    assert WHY in (await lead.see("/sealed")).text
    assert (await lead.do(f"{at}/approve")).status_code == 204
    assert (await lead.do(f"{at}/open")).status_code == 409  # who allows it does not see it
    shown = await asker.do(f"{at}/open")
    assert shown.status_code == 200 and b64encode(png()).decode() in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy and "no-store" in shown.headers["cache-control"]
    assert "<script" not in shown.text and "<form" not in shown.text and "手臂的伤" not in shown.text
    assert (await asker.do(f"{at}/open")).status_code == 409
    async with transaction() as session:
        rows = (
            await session.scalars(select(AuditRow).where(AuditRow.what.like("%_image")).order_by(AuditRow.id))
        ).all()
    assert [(row.what, row.operator_id) for row in rows] == [
        ("ask_image", asker.operator.id), ("approve_image", lead.operator.id), ("open_image", asker.operator.id),
    ]  # fmt: skip
    assert WHY in (rows[0].detail or "") and all(row.subject == f"ticket:{harm.id}" for row in rows)


async def test_nobody_allows_their_own_asking(harm: Ticket, lead: Desk) -> None:
    at = await asked(lead, harm, await put(harm))
    assert (await lead.do(f"{at}/approve")).status_code == 409
    assert (await lead.do(f"{at}/open")).status_code == 409


async def test_what_is_refused_or_late_stays_shut(harm: Ticket, asker: Desk, lead: Desk, clock: HeldClock) -> None:
    file_id = await put(harm)
    refused = await asked(asker, harm, file_id)
    assert (await lead.do(f"{refused}/refuse")).status_code == 204
    assert (await asker.do(f"{refused}/open")).status_code == 409
    late = await asked(asker, harm, file_id)
    clock.advance(timedelta(minutes=10))
    assert (await lead.do(f"{late}/approve")).status_code == 409
    slow = await asked(asker, harm, file_id)
    assert (await lead.do(f"{slow}/approve")).status_code == 204
    clock.advance(timedelta(minutes=10))
    assert (await asker.do(f"{slow}/open")).status_code == 409


async def test_a_reason_is_wanted(harm: Ticket, asker: Desk) -> None:
    file_id = await put(harm)
    assert (await asker.do(f"/tickets/{harm.id}/files/{file_id}/ask", reason="  看 ")).status_code == 422


async def test_bytes_that_were_exchanged_are_not_shown_and_the_asking_is_not_used_up(
    harm: Ticket, asker: Desk, lead: Desk
) -> None:
    file_id = await put(harm)
    at = await asked(asker, harm, file_id)
    await lead.do(f"{at}/approve")
    async with transaction() as session:
        image = (await session.scalars(select(SealedImage))).one()
        image.content = b"\x89PNG something else"
    answer = await asker.do(f"{at}/open")
    assert answer.status_code == 500 and "对不上" in answer.text
    async with transaction() as session:
        assert (await session.scalars(select(ImageOpening.state))).one() == "approved"


async def test_another_regions_desk_finds_no_such_ticket(
    harm: Ticket, asker: Desk, lead: Desk, sign_in: SignIn
) -> None:
    at = await asked(asker, harm, await put(harm))
    away = await sign_in("dali", "大理班长", Role.SUPERVISOR, unit="12345@532900")
    assert (await away.do(f"{at}/approve")).status_code == 404
    assert WHY not in (await away.see("/sealed")).text


async def test_a_colleague_sees_only_their_own_askings(harm: Ticket, asker: Desk, sign_in: SignIn) -> None:
    await asked(asker, harm, await put(harm))
    other = await sign_in("he", "和志强")
    assert WHY in (await asker.see("/sealed")).text and WHY not in (await other.see("/sealed")).text


async def test_nothing_of_a_picture_lies_open_in_the_database(harm: Ticket) -> None:
    await put(harm)
    async with transaction() as session:
        (raw,) = await session.scalars(text("SELECT content_sealed FROM sealed_images"))
    assert b"PNG" not in bytes(raw) and b"IHDR" not in bytes(raw)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_rules_know_who_and_when(allowed: bool, clock: HeldClock) -> None:
    now = clock.now()
    until = now + timedelta(minutes=1) if allowed else now
    assert sealed_rules.may_decide(state="asked", asked_by=1, by=2, expires_at=until, now=now) is allowed
    assert sealed_rules.may_open(state="approved", asked_by=1, by=1, expires_at=until, now=now) is allowed
    assert not sealed_rules.may_decide(state="asked", asked_by=1, by=1, expires_at=until, now=now)
    assert not sealed_rules.may_open(state="opened", asked_by=1, by=1, expires_at=until, now=now)
    assert sealed_images.FileIsSealed.status_code == 403


async def test_going_back_to_the_older_tables_and_forward_again_loses_no_picture(
    harm: Ticket, asker: Desk, database: str
) -> None:
    file_id = await put(harm)
    await dispose()
    command.downgrade(config(database), "0008")
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT uid, content_sealed FROM attachments WHERE id = %s", [file_id]).fetchone()
    assert row is not None and opened_from("attachments", "content_sealed", row[0], row[1]) == png()
    command.upgrade(config(database), "head")
    await asked(asker, harm, file_id)  # still shut by what the matter is, and sealed anew when it is asked for
    kept, sealed = await stored(file_id)
    assert kept.content_sealed is None and sealed is not None
