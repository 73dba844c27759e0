"""Zip and gz -> the files inside, as if they lay in a folder of that name.

Nothing is unpacked under a name of the archive's own, so no name can lead out of the
scratch folder; what an archive inflates to is counted while it does.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw, Source
from kamp_lib.datasets.reading.kinds import (
    ENDINGS,
    IMAGE_ENDINGS,
    MOST_MEMBERS,
    File,
    has_countless_members,
    kind_of,
)
from kamp_lib.datasets.reading.locked import password_of, wrong_password
from kamp_lib.datasets.reading.members import left_aside, own_name, wanted_members
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

MOST_BYTES = 32 << 30
PLENTY = 256 << 20  # a small archive may inflate to this whatever the ratio
MOST_RATIO = 200
CHUNK = 1 << 20
LOCKED = 0x1  # a bit of a member's flags


@dataclass(frozen=True)
class _Origin:
    """The archive a file was taken from: what is kept as the original."""

    path: Path
    sha256: str
    bytes: int
    member: str


class Archives:
    """The archives of one ingest, unpacked into a folder that goes with the cells."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._origins: dict[Path, _Origin] = {}
        self._findings: list[Finding] = []
        self._scratch: Path | None = None

    def opened(self, files: Sequence[File]) -> list[File]:
        """The files, with those inside in place of every archive.

        Raises
        ------
        KampError
            When an archive is locked, damaged, a bomb or a trick, or holds nothing.
        """
        found: list[File] = []
        for path, name in files:
            kind = _kind(path)
            if kind in ("zip", "gzip"):
                found += self._members(path, name, kind)
            else:
                found.append((path, name))
        return found

    def signed(self, raw: Raw) -> Raw:
        """Say of every source which archive it came from, and what was passed over."""
        if self._origins:
            raw.sources = [self._signed(source) for source in raw.sources]
            raw.labels = self._signed(raw.labels) if raw.labels else None
            raw.findings += self._findings
            raw.unpacked = self
        return raw

    def _signed(self, source: Source) -> Source:
        origin = self._origins.get(source.path)
        if origin is None or source.path.suffix.lower() in IMAGE_ENDINGS:
            return source  # pictures are kept one by one
        return replace(
            source,
            path=origin.path,
            sha256=origin.sha256,
            bytes=origin.bytes,
            content=source.sha256,
            details={**source.details, "member": origin.member},
        )

    def _members(self, path: Path, name: str, kind: str) -> list[File]:
        folder = self._folder(path)
        with open(path, "rb") as file:
            sha = hashlib.file_digest(file, "sha256").hexdigest()
        unpack = self._from_zip if kind == "zip" else self._from_gzip
        found = []
        with _plainly(name):
            for place, member, shown in unpack(path, name, folder):
                self._origins[place] = _Origin(path, sha, path.stat().st_size, member)
                found.append((place, shown))
        if not found:
            raise KampError(
                f"'{name}' 안에 읽을 수 있는 파일이 없습니다. CSV, 엑셀 같은 파일을 묶어 가져오세요.",
                f"nothing inside {name!r} can be read; pack files such as CSV or Excel.",
            )
        return found

    def _folder(self, path: Path) -> Path:
        """An own folder per archive, named like it: it tells namesakes apart."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="kamp-"))
            weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        folder = self._scratch / str(len(self._origins)) / path.name
        folder.mkdir(parents=True)
        return folder

    def _from_zip(
        self, path: Path, name: str, folder: Path
    ) -> Iterator[tuple[Path, str, str]]:
        _check_count(path, name)
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            members = wanted_members(infos, name)
        self._findings += left_aside(infos, members, name)
        inflated = sum(info.file_size for info, _ in members)
        check_size(inflated, path.stat().st_size, name)
        locked = any(info.flag_bits & LOCKED for info, _ in members)
        with self._unlocked(path, name) if locked else zipfile.ZipFile(path) as archive:
            taken: set[str] = set()
            for info, member in wanted_members(archive.infolist(), name):
                member = own_name(member, taken)
                place = folder / f"{len(taken)}{Path(member).suffix.lower()}"
                with archive.open(info) as inside:
                    _copy(inside, place)
                is_image = place.suffix in IMAGE_ENDINGS
                yield place, member, member if is_image else f"{name}/{member}"

    def _from_gzip(
        self, path: Path, name: str, folder: Path
    ) -> Iterator[tuple[Path, str, str]]:
        member = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
        ending = Path(member).suffix.lower()
        known = ending in (*ENDINGS, *IMAGE_ENDINGS)
        place = folder / f"0{ending if known else '.txt'}"
        with open(path, "rb") as packed, gzip.open(packed) as inside:
            _copy(inside, place, packed=packed, name=name)
        yield place, member, name

    @contextmanager
    def _unlocked(self, path: Path, name: str) -> Iterator[Any]:
        import pyzipper

        password = password_of(name, self._options)
        with pyzipper.AESZipFile(path) as archive:
            archive.setpassword(password.encode())
            try:
                yield archive
            except (RuntimeError, zlib.error, pyzipper.BadZipFile) as error:
                raise wrong_password(name) from error


def _kind(path: Path) -> str | None:
    try:
        return kind_of(path)
    except OSError:  # its reader will say why it cannot be opened
        return None


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    """What an unpacker may say of a damaged archive, as one sentence."""
    try:
        yield
    except KampError:
        raise
    except NotImplementedError as error:
        raise KampError(
            f"'{name}'의 압축 방식은 읽을 수 없습니다. 압축을 풀거나 보통의 zip으로 다시 묶어 가져오세요.",
            f"the compression of {name!r} cannot be read; unpack it, or pack it as a plain zip.",
        ) from error
    except OSError as error:
        if error.errno is None:  # gzip's own way to say that a file is damaged
            raise _damaged(name) from error
        raise KampError(
            f"'{name}'의 압축을 풀 수 없습니다({error.strerror}). 디스크 공간과 권한을 확인하세요.",
            f"{name!r} cannot be unpacked ({error.strerror}); check disk space and rights.",
        ) from error
    except Exception as error:  # each unpacker has its own way
        raise _damaged(name) from error


def _damaged(name: str) -> KampError:
    return KampError(
        f"'{name}'은(는) 끝까지 저장되지 않았거나 망가진 압축 파일입니다. 다시 압축해 가져오세요.",
        f"{name!r} is a damaged or truncated archive; pack it again.",
    )


def _check_count(path: Path, name: str) -> None:
    """Refuse before the list of members is read into memory."""
    if has_countless_members(path):
        raise KampError(
            f"'{name}' 안에 파일이 너무 많습니다({MOST_MEMBERS:,}개 초과). 나누어 압축하세요.",
            f"{name!r} holds too many files (over {MOST_MEMBERS:,}); pack them in parts.",
        )


def check_size(inflated: int, packed: int, name: str) -> None:
    """Refuse a bomb: what unpacks to far more than real data would."""
    if inflated > MOST_BYTES or (inflated > PLENTY and inflated > MOST_RATIO * packed):
        raise KampError(
            f"'{name}'의 압축을 풀면 너무 커집니다({inflated / 1e9:,.1f} GB 이상). 올바른 파일이면"
            " 압축을 풀어 가져오세요.",
            f"{name!r} unpacks to far too much ({inflated / 1e9:,.1f} GB or more); if it is"
            " what it should be, unpack it first.",
        )


def _copy(
    inside: IO[bytes] | gzip.GzipFile,
    place: Path,
    packed: IO[bytes] | None = None,
    name: str = "",
) -> None:
    """Inflate one member; a gz does not tell its size, so it is watched."""
    inflated = 0
    with open(place, "wb") as out:
        while chunk := inside.read(CHUNK):
            inflated += len(chunk)
            if packed is not None:
                check_size(inflated, packed.tell(), name)
            out.write(chunk)
