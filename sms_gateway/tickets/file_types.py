"""What a file really is, told by its content, and a name that is safe to hand on. Pure.

Only what offices send: PDF, pictures, Word and Excel without macros. The name's ending must say the same as the content:
what pretends to be something else is refused, not renamed.
"""

from __future__ import annotations

import html
import io
import re
import unicodedata
import zipfile

import puremagic

from sms_gateway.errors import BadInput

MIME = {
    "pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
"""By kind: what a download says it is."""
_ENDINGS = {"pdf": "pdf", "jpg": "jpg", "jpeg": "jpg", "png": "png", "docx": "docx", "xlsx": "xlsx"}
_LOOKS_LIKE = {
    "pdf": {".pdf"}, "jpg": {".jpg", ".jpeg", ".jfif"}, "png": {".png"}, "docx": {".docx", ".zip"}, "xlsx": {".xlsx", ".zip"},
}  # fmt: skip
_BODY = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_MAIN_TYPE = {"docx": b"wordprocessingml.document.main+xml", "xlsx": b"spreadsheetml.sheet.main+xml"}
_ACTIVE = re.compile(r"vbaproject|vbadata|macrosheets|/activex/|/embeddings/|oleobject", re.IGNORECASE)
_LINKS = re.compile(r"\.rels$|externalLinks/", re.IGNORECASE)
"""Parts that say what else is opened with the file."""
_FETCHES = re.compile(
    r"ddeLink|oleLink|<Relationship(?=[^>]*(?:attachedTemplate|oleObject|frame|subDocument)\b)(?=[^>]*TargetMode\s*=\s*[\"']External)",
    re.IGNORECASE,
)
"""A template, program or document from elsewhere, opened without a click: where macros come in though the file has none."""
_RUNS_IN_PDF = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia)(?![A-Za-z])")
"""Names of what a PDF runs or brings along (ISO 32000-1, 7.11.4, 12.6.4.5, 12.6.4.16). `/OpenAction` by itself only turns to a page."""
_SIGN_IN_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
"""A PDF's name may spell any sign so (7.3.5)."""
MAX_LINKS = 2 * 1024 * 1024
"""Bytes read of those parts together."""
MAX_PARTS = 2_000
MAX_UNPACKED = 200 * 1024 * 1024
"""Bytes all parts of an office file say they unpack to; they are never unpacked here."""
MAX_INDEX = 1024 * 1024
"""Bytes read of [Content_Types].xml, the only part that is opened."""
TAIL = 2048
LONGEST_NAME = 80
NAMELESS = "附件"
_FORBIDDEN = re.compile(r'[\\/:*?"<>|%;\'`$&#]+')


class FileIsNotWelcome(BadInput):
    sentence = "只收 PDF、JPG、PNG、DOCX、XLSX 文件。"


class FileIsFalse(BadInput):
    sentence = "这个文件的内容和它的类型对不上，请打开原文件另存一份再传。"


class FileHasMacros(BadInput):
    sentence = "这个文件里有宏或嵌入的程序，不能收；请另存为不带宏的文件，或存成 PDF。"


class FileHasScripts(FileHasMacros):
    sentence = "这份 PDF 里有脚本、会打开程序的按钮或夹带的文件，不能收；请重新打印成一份 PDF 再传。"


class FileIsEmpty(BadInput):
    sentence = "这个文件是空的。"


def kind_of(name: str, content: bytes) -> str:
    """`pdf`, `jpg`, `png`, `docx` or `xlsx`. Raises the errors above (422); the content decides, the name must agree."""
    _stem, dot, ending = name.rpartition(".")
    kind = _ENDINGS.get(ending.strip().lower()) if dot else None
    if kind is None:
        raise FileIsNotWelcome
    if not content:
        raise FileIsEmpty
    if not _guesses(content) & _LOOKS_LIKE[kind] or not _is_whole(kind, content):
        raise FileIsFalse
    if kind in _BODY:
        _check_office(kind, content)
    if kind == "pdf" and _RUNS_IN_PDF.search(_SIGN_IN_NAME.sub(_spelt, content)):
        raise FileHasScripts
    return kind


def _spelt(sign: re.Match[bytes]) -> bytes:
    return bytes((int(sign[1], 16),))


def _guesses(content: bytes) -> set[str]:
    try:
        return {found.extension for found in puremagic.magic_string(content)}
    except (puremagic.PureError, ValueError):
        return set()


def _is_whole(kind: str, content: bytes) -> bool:
    """Begins as its kind begins, with its end in place: a web page or program behind another's first bytes has none."""
    if kind == "pdf":
        return content.startswith(b"%PDF-") and b"%%EOF" in content[-TAIL:]
    if kind == "jpg":
        return content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content
    if kind == "png":
        return content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR" and b"IEND" in content[-TAIL:]
    return content.startswith(b"PK\x03\x04")


def _check_office(kind: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            names = {part.filename for part in parts}
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise FileIsFalse
            if _BODY[kind] not in names or any(_leads_out(name) for name in names):
                raise FileIsFalse
            if any(_ACTIVE.search(name) for name in names):
                raise FileHasMacros
            with packed.open("[Content_Types].xml") as index:
                types = index.read(MAX_INDEX)
            if _FETCHES.search(_links_of(packed, parts)):
                raise FileHasMacros
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, ValueError, EOFError, OSError):
        raise FileIsFalse from None
    if b"macroEnabled" in types:
        raise FileHasMacros
    if _MAIN_TYPE[kind] not in types:
        raise FileIsFalse


def _links_of(packed: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> str:
    """What those parts say, entities resolved. Raises `FileIsFalse` where they are longer than an office file's are."""
    told, left = "", MAX_LINKS
    for part in parts:
        if not _LINKS.search(part.filename):
            continue
        with packed.open(part) as link:
            raw = link.read(left + 1)
        left -= len(raw)
        if left < 0:
            raise FileIsFalse
        told += html.unescape(raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace"))
    return told


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name


def clean_name(name: str, kind: str) -> str:
    """The file's own name without path, control and direction signs, at most 80 characters, ending in its kind."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] not in ("C", "Z") or sign == " ")
    stem = seen.rpartition(".")[0] if "." in seen else seen
    stem = re.sub(r"\s+", " ", _FORBIDDEN.sub("_", stem)).strip(" .")
    return f"{stem[:LONGEST_NAME] or NAMELESS}.{kind}"
