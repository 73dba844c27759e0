"""Files as they came: copied into the store, by the hash of their content.

They are copied beside whatever else is going on, from the moment it is settled that they
may be kept. Until a commit names them they are leftovers like others, and are swept.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from kamp_lib.datasets.raw import Raw, Source
from kamp_lib.datasets.storage.durable import PARTIAL, Stopped, sync
from kamp_lib.datasets.storage.store import Store
from kamp_lib.errors import KampError

BLOCK = 1 << 18  # bytes copied at a time: what stays in the processor's cache
FEW_FILES = 50  # up to so many are flushed to disk one by one

Seen = tuple[int, int, int] | None  # what tells that a file is as it was


class Originals:
    """The files of one ingest on their way into the store.

    Parameters
    ----------
    store : Store
        Held by this process.
    raw : Raw
        Says which files, and whether they may be kept.
    """

    def __init__(self, store: Store, raw: Raw) -> None:
        self._stop = Event()
        self._beside = ThreadPoolExecutor(1)
        self._kept = self._beside.submit(_keep_all, store, raw, self._stop)

    def ready(self) -> None:
        """Return when all are on disk and still what was read.

        Raises
        ------
        KampError
            When one was written to since: what is stored would be half of it.
        """
        for source, seen in self._kept.result():
            if _seen(source.path) != seen:
                raise _changed(source)

    def stop(self) -> None:
        """What is not copied yet need not be."""
        self._stop.set()

    def wait(self) -> None:
        """Return when nothing is being copied any more."""
        self._beside.shutdown()


def place_of(store: Store, source: Source, raw: Raw) -> Path:
    """Where a file is kept by the hash of its content."""
    if raw.images and source is not raw.labels:
        return store.images / (source.sha256 + source.path.suffix.lower())
    return store.originals / source.sha256


def _keep_all(store: Store, raw: Raw, stop: Event) -> list[tuple[Source, Seen]]:
    """Copy every file to its place, and have them all on disk.

    Gives those that were not there yet, and how they looked when they were read.
    """
    if not raw.keep_originals:
        return []
    sources = [*raw.sources, *([raw.labels] if raw.labels else [])]
    each = len(sources) <= FEW_FILES
    kept = []
    for source in sources:
        place = place_of(store, source, raw)
        if not place.exists():
            kept.append((source, _keep(source, place, stop, flush=each)))
    if not each:
        os.sync()  # once for a thousand pictures, not a thousand times
        return kept
    for folder in (store.originals, store.images):
        if folder.is_dir():
            sync(folder)
    return kept


def _keep(source: Source, place: Path, stop: Event, *, flush: bool = True) -> Seen:
    """Copy a file to its place, making sure it is still the file that was read."""
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f"{PARTIAL}{os.getpid()}-{place.name}")
    seen = _seen(source.path)
    read = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    try:
        with (
            open(source.path, "rb", buffering=0) as original,
            open(partial, "wb") as file,
        ):
            while held := original.readinto(buffer):
                if stop.is_set():
                    raise Stopped
                read.update(buffer[:held])
                file.write(buffer[:held])
            if flush:
                file.flush()
                os.fsync(file.fileno())
    except FileNotFoundError as error:
        raise _changed(source) from error
    if read.hexdigest() != source.sha256:
        partial.unlink()
        raise _changed(source)
    partial.rename(place)
    return seen


def _seen(path: Path) -> Seen:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _changed(source: Source) -> KampError:
    return KampError(
        f"'{source.name}'이(가) 읽는 동안 바뀌었습니다. 쓰기가 끝난 뒤 다시 가져오세요.",
        f"{source.name!r} changed while it was read; ingest it again when it is complete.",
    )
