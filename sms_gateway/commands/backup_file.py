"""What a backup file is: a tar, written and read as a stream, sealed as a whole.

Behind a short head (`HEAD`, then whose key: `D` and the version of the data key, or `B` for HOTLINE_BACKUP_KEY) everything is
sealed (`sealing.SealedWriter`). In the tar, in this order: `manifest.json`; `spool/…`, the sealed texts that wait on disk, which
are read before the database, so that a text taken in meanwhile is in both rather than in neither; `database/000000 …`, pg_dump's
custom format in pieces; `end.json` with the SHA-256 of all of it. A reader holds one piece at a time, whatever the size.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from sealing import KeyIsMissing, Keyring, OpenedReader, SealedWriter, StreamBroken

HEAD = b"hotline backup 1\n"
PART_BYTES = 8 << 20
MANIFEST, END, SPOOL, DATABASE = "manifest.json", "end.json", "spool/", "database/"


class BackupIsWrong(Exception):
    """One Chinese sentence for whoever restores."""


NOT_WHOLE = "备份文件不完整或被改动过，没有恢复。请换一份备份。"


@dataclass(frozen=True)
class BackupKeys:
    """What a backup is sealed and opened with."""

    ring: Keyring
    own: bytes | None

    def for_writing(self) -> tuple[bytes, bytes]:
        """The head of a new file, and its key."""
        if self.own is not None:
            return HEAD + b"B\0\0", self.own
        return HEAD + b"D" + self.ring.current.to_bytes(2, "big"), self.ring.backup_key(self.ring.current)

    def for_reading(self, head: bytes) -> bytes:
        """The key of the file that begins with `head`. Raises `BackupIsWrong`."""
        if len(head) != len(HEAD) + 3 or not head.startswith(HEAD) or head[-3:-2] not in (b"B", b"D"):
            raise BackupIsWrong("这不是 hotline backup 做的备份文件。")
        if head[-3:-2] == b"B":
            if self.own is None:
                raise BackupIsWrong("这份备份是用 HOTLINE_BACKUP_KEY 加密的，请先设好它。")
            return self.own
        version = int.from_bytes(head[-2:], "big")
        try:
            return self.ring.backup_key(version)
        except KeyIsMissing:
            raise BackupIsWrong(f"这份备份要用第 {version} 把数据密钥打开，HOTLINE_DATA_KEY 里没有这一把。") from None


class Writer:
    """Puts entries into the file; `end` makes it whole."""

    def __init__(self, out: BinaryIO, keys: BackupKeys) -> None:
        head, key = keys.for_writing()
        self._sealed = SealedWriter(out, key=key, head=head)
        self._tar = tarfile.open(fileobj=cast("BinaryIO", self._sealed), mode="w|")  # noqa: SIM115 - closed by `end`
        self._sum = hashlib.sha256()
        self._entries = 0

    def add(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o600
        self._tar.addfile(entry, io.BytesIO(content))
        _note(self._sum, name, content)
        self._entries += 1

    def add_stream(self, folder: str, stream: BinaryIO) -> None:
        """What `stream` gives, in numbered pieces."""
        number = 0
        while piece := stream.read(PART_BYTES):
            self.add(f"{folder}{number:06d}", piece)
            number += 1

    def end(self) -> None:
        self.add(END, json.dumps({"entries": self._entries, "sha256": self._sum.hexdigest()}).encode())
        self._tar.close()
        self._sealed.finish()


def _note(total: Any, name: str, content: bytes) -> None:
    total.update(f"{name}\0{len(content)}\0".encode())
    total.update(content)


def entries(file: BinaryIO, keys: BackupKeys) -> Iterator[tuple[str, bytes]]:
    """Name and content of each entry, the manifest first, without the end. Raises `BackupIsWrong`; that the file is whole is
    known only once it is through.
    """
    head = file.read(len(HEAD) + 3)
    key = keys.for_reading(head)
    total, count, ended = hashlib.sha256(), 0, False
    try:
        reader = OpenedReader(file, key=key, head=head)
        with tarfile.open(fileobj=io.BufferedReader(reader, PART_BYTES), mode="r|") as tar:
            for entry in tar:
                part = tar.extractfile(entry)
                content = part.read() if part is not None else b""
                if entry.name == END:
                    ended = json.loads(content) == {"entries": count, "sha256": total.hexdigest()}
                    continue
                if ended or (count == 0) is not (entry.name == MANIFEST):
                    raise BackupIsWrong(NOT_WHOLE)
                _note(total, entry.name, content)
                count += 1
                yield entry.name, content
        while reader.read(1 << 20):  # to the last piece: a cut file is found out there
            pass
    except StreamBroken as error:
        raise BackupIsWrong("密钥不对，打不开这份备份。" if error.wrong_key else NOT_WHOLE) from None
    except (tarfile.TarError, json.JSONDecodeError):
        raise BackupIsWrong(NOT_WHOLE) from None
    if not ended:
        raise BackupIsWrong(NOT_WHOLE)


def verify(path: Path, keys: BackupKeys) -> dict[str, Any]:
    """Read the whole file; its manifest. Raises `BackupIsWrong`."""
    manifest: dict[str, Any] = {}
    with opened(path) as file:
        for name, content in entries(file, keys):
            if name == MANIFEST:
                manifest = json.loads(content)
    return manifest


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError:
        raise BackupIsWrong(f"读不了 {path}：没有这个文件，或者不让读。") from None
    with file:
        yield file
