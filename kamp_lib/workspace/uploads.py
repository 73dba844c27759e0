"""Files on their way in: received piece by piece, kept aside, removed afterwards.

They lie in `data/.uploads/`, on the company's own disk but outside the tree that
JupyterLab shows. Each upload holds a lock for as long as its server lives; what nobody
holds any more is swept away by the next server that starts.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text
from kamp_lib.workspace.names import safe_paths

FOLDER = ".uploads"
PIECE = 4 << 20  # bytes of one request; a browser cuts files into these
MOST_FILES = 20_000
MOST_UPLOADS = 6  # kept aside at once by one server
RESERVE = 512 << 20  # bytes of the disk that no upload may take
# The file itself, the copy that is kept beside the rows, and the rows.
ROOM_PER_BYTE = 3


@dataclass
class Received:
    """One file of an upload: where it lies and how much of it is there."""

    name: str  # as the browser called it, shown to nobody as a path
    path: Path
    size: int
    here: int = 0

    @property
    def whole(self) -> bool:
        return self.here == self.size


@dataclass
class Upload:
    """Files that came together, and what was decided about them so far."""

    id: str
    folder: Path
    files: list[Received]
    started: datetime
    choices: dict[str, Any] = field(default_factory=dict)  # what the form says
    seen: dict[str, Any] | None = None  # what the last look found
    stored: dict[str, Any] | None = None  # what was stored, when it was
    _lock: FileLock | None = field(default=None, repr=False)
    _writing: Lock = field(default_factory=Lock, repr=False)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def here(self) -> int:
        return sum(file.here for file in self.files)

    @property
    def whole(self) -> bool:
        return all(file.whole for file in self.files)

    @property
    def scratch(self) -> Path:
        """For temporary files of the jobs about it."""
        return self.folder / "tmp"

    @property
    def mapping_file(self) -> Path:
        return self.folder / "mapping.yaml"

    def tops(self) -> list[Path]:
        """The files and folders as they were dropped: what `kamp ingest` is given."""
        root = self.folder / "files"
        parts = {file.path.relative_to(root).parts[0] for file in self.files}
        return sorted(root / part for part in parts)

    def write(self, number: int, offset: int, piece: bytes) -> Received:
        """Add a piece to a file; one that is there already is taken as sent again.

        Raises
        ------
        UsageError
            For a file that was not announced, a hole, or more than was announced.
        """
        if not 0 <= number < len(self.files):
            raise UsageError(
                "알리지 않은 파일입니다. 다시 올려 주세요.",
                "this file was not announced; upload it again.",
            )
        with self._writing:
            file = self.files[number]
            end = offset + len(piece)
            if offset < 0 or offset > file.here or end > file.size:
                raise UsageError(
                    "파일 조각의 순서나 크기가 맞지 않습니다. 다시 올려 주세요.",
                    "a piece of the file is out of order or too large; upload it again.",
                )
            if end > file.here:
                _write_at(file.path, offset, piece)
                file.here = end
            return file


class Uploads:
    """What one server holds for its person."""

    def __init__(self, tenant: Tenant) -> None:
        self.root = tenant.data / FOLDER
        self.uploads: dict[str, Upload] = {}

    def start(self, announced: Sequence[tuple[str, int]]) -> Upload:
        """Make room for files of these names and sizes.

        Raises
        ------
        KampError
            When there are too many, or the disk has no room for them.
        """
        self._check(announced)
        upload_id = secrets.token_urlsafe(16)
        folder = self.root / upload_id
        self.root.mkdir(parents=True, exist_ok=True)
        lock = _lock_of(folder)
        lock.acquire(timeout=0)  # before the folder is there for others to sweep
        (folder / "tmp").mkdir(parents=True)
        paths = [folder / "files" / p for p in safe_paths(n for n, _ in announced)]
        files = [
            Received(name, path, size)
            for (name, size), path in zip(announced, paths, strict=True)
        ]
        for file in files:
            _make_empty(file.path)
        upload = Upload(upload_id, folder, files, datetime.now(UTC), _lock=lock)
        self.uploads[upload_id] = upload
        return upload

    def upload(self, upload_id: str) -> Upload:
        """The upload of this id; nobody's id is an error."""
        if upload_id not in self.uploads:
            raise KampError(
                "올린 파일이 없습니다. 이미 지워졌을 수 있으니 다시 올려 주세요.",
                "these files are not here; they may have been removed. Upload them again.",
            )
        return self.uploads[upload_id]

    def discard(self, upload_id: str) -> None:
        """Remove the files of an upload."""
        upload = self.uploads.pop(upload_id, None)
        if upload is not None:
            _remove(upload.folder, upload._lock)

    def release(self, upload: Upload) -> None:
        """Remove the files of an upload that is stored; what was stored is remembered."""
        _remove(upload.folder, upload._lock)
        upload._lock = None

    def close(self) -> None:
        """Remove everything: the server goes."""
        for upload_id in list(self.uploads):
            self.discard(upload_id)

    def sweep(self) -> None:
        """Remove what servers that are gone have left."""
        for folder in [p for p in self.root.glob("*") if p.is_dir()]:
            lock = _lock_of(folder)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            _remove(folder, lock)

    def _check(self, announced: Sequence[tuple[str, int]]) -> None:
        if not announced:
            raise UsageError("가져올 파일을 고르세요.", "choose a file.")
        if len(announced) > MOST_FILES:
            raise UsageError(
                f"한 번에 {MOST_FILES:,}개까지 올릴 수 있습니다({len(announced):,}개를 고르셨습니다)."
                " 폴더를 압축(zip)해서 올리세요.",
                f"at most {MOST_FILES:,} files at once, not {len(announced):,};"
                " upload the folder as a zip file.",
            )
        waiting = [u for u in self.uploads.values() if u.stored is None]
        if len(waiting) >= MOST_UPLOADS:
            raise UsageError(
                "저장하지 않은 파일이 많습니다. 먼저 저장하거나 지운 뒤 올리세요.",
                "many files wait to be stored; store or remove them first.",
            )
        room = free_room(self.root) - sum(u.size - u.here for u in waiting)
        size = sum(size for _, size in announced)
        if size * ROOM_PER_BYTE > room:
            said = Text("{size}의 파일을 다루려면 디스크가 {need} 비어 있어야 하는데 {room}뿐입니다."
                        " 공간을 비우거나 나누어 올리세요.",
                        "to bring in {size} the disk needs {need} free, and has {room};"
                        " free some space or upload in parts.").format(
                size=said_size(size), need=said_size(size * ROOM_PER_BYTE), room=said_size(room)
            )  # fmt: skip
            raise KampError(said.ko, said.en)


def free_room(folder: Path) -> int:
    """Bytes of the disk that uploads may take."""
    there = next(p for p in (folder, *folder.parents) if p.exists())
    return max(0, shutil.disk_usage(there).free - RESERVE)


def said_size(size: float) -> str:
    """Bytes as people read them.

    >>> said_size(900), said_size(2_500_000)
    ('900 B', '2.4 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def _write_at(path: Path, offset: int, piece: bytes) -> None:
    # no link is followed: the folder is the company's, and so is whatever is in it
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        written = 0
        while written < len(piece):
            written += os.pwrite(handle, piece[written:], offset + written)
    finally:
        os.close(handle)


def _make_empty(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _remove(folder: Path, lock: FileLock | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _lock_of(folder: Path) -> FileLock:
    # taken in one thread and let go in another
    return FileLock(folder.with_name(folder.name + ".lock"), thread_local=False)
