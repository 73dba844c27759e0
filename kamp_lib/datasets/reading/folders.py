"""What lies behind the paths a person gives: files by the names people know them by."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.reading.kinds import ENDINGS, IMAGE_ENDINGS, File
from kamp_lib.datasets.reading.masks import SPLITS
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

# What systems and programs leave in every folder; it goes without saying.
LITTER = frozenset({"thumbs.db", "desktop.ini", "license", "license.txt"})
# `run (1).csv`, `run - 복사본.csv`, `Copy of run.csv`: the same file once more
COPY = re.compile(
    r"(^copy of |^사본 |\s*\(\d+\)$|\s*-\s*(copy|복사본|사본)(\s*\(\d+\))?$)",
    re.IGNORECASE,
)
DATED = re.compile(
    r"(?<!\d)(19|20)\d\d(([-_.])\d\d?(\3\d\d?)?|(0[1-9]|1[0-2])([0-2]\d|3[01]))(?!\d)"
)


def files_behind(path: Path, labels: Path | None) -> tuple[list[File], list[Finding]]:
    """The files behind one path, and what is said of those that are passed over.

    Links inside a folder are not followed, and the label file is none of the data.

    Raises
    ------
    KampError
        When there is nothing to read.
    """
    if not path.exists():
        raise KampError(
            f"파일이 없습니다: {path}. 경로를 확인하세요.",
            f"there is no such file: {path}; check the path.",
        )
    if not path.is_dir():
        if not path.is_file():  # a pipe or a device never ends
            raise KampError(
                f"일반 파일이 아니어서 읽을 수 없습니다: {path}. 파일이나 폴더를 고르세요.",
                f"not a plain file: {path}; choose a file or a folder.",
            )
        return [(path, as_text(path.name))], []
    found: list[File] = []
    aside: list[File] = []
    for file in _walk(path):
        name = as_text(file.relative_to(path).as_posix())
        if labels and labels.exists() and file.samefile(labels):
            continue
        known = file.suffix.lower() in (*ENDINGS, *IMAGE_ENDINGS)
        (found if known else aside).append((file, name))
    if not found:
        raise KampError(
            f"폴더에 읽을 수 있는 파일이 없습니다: {path}. CSV, 엑셀(.xlsx), Parquet, 이미지를 넣으세요.",
            f"nothing in the folder can be read: {path}; it needs CSV, .xlsx, Parquet or images.",
        )
    found.sort(key=lambda f: natural(f[1]))
    return found, passed_over([name for _, name in aside], path.name)


def passed_over(names: Sequence[str], folder: str) -> list[Finding]:
    """Say which files of a folder are not read."""
    if not names:
        return []
    return [
        finding("files-left-aside", count=len(names), examples=names, folder=folder)
    ]


def _walk(path: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(path, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__")))
        files = [Path(folder) / n for n in names if not n.startswith((".", "~$"))]
        found += [
            f
            for f in files
            if f.name.lower() not in LITTER and not f.is_symlink() and f.is_file()
        ]
    return found


def as_text(name: str) -> str:
    """A file's name as text: what an old Korean Windows packed is CP949."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "cp949"):
        try:
            return normalize("NFC", raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", errors="replace")


def with_own_names(files: Sequence[File]) -> list[File]:
    """Names by which files can be told apart: a folder before those that share one."""
    often = Counter(name for _, name in files)
    named, taken = [], set()
    for path, name in files:
        if often[name] > 1:
            name = f"{path.resolve().parent.name}/{name}"
        wanted, number = name, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
        taken.add(name)
        named.append((path, name))
    return named


def natural(name: str) -> list[tuple[int, str]]:
    """run_2 before run_10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdecimal() else (0, p) for p in parts]


def run_names(names: Sequence[str]) -> list[str]:
    """The run each file holds: the last number of its name, or else its stem.

    Runs are compared as numbers (`01` is run 1, whatever a label file writes); a name
    with a date in it stands as it is, for its last number is but a day.

    >>> run_names(["experiment_01.csv", "experiment_14.csv"])
    ['1', '14']
    >>> run_names(["left.csv", "right.csv"])
    ['left', 'right']
    >>> run_names(["log 2024-01-05.csv", "log 2024-01-06.csv"])
    ['log 2024-01-05', 'log 2024-01-06']
    """
    stems = [PurePosixPath(n).with_suffix("").as_posix() for n in names]
    numbers = [re.search(r"(\d+)\D*$", stem) for stem in stems]
    found = [
        str(int(n.group(1))) if n else stem
        for n, stem in zip(numbers, stems, strict=True)
    ]
    dated = any(is_dated(name) for name in names)
    telling = all(numbers) and len(set(found)) == len(found) and not dated
    return found if telling else stems


def is_dated(name: str) -> bool:
    """Whether a file is named by a date.

    >>> is_dated("log_2024-01.csv"), is_dated("20240105.csv"), is_dated("run_2011.csv")
    (True, True, False)
    """
    return bool(DATED.search(PurePosixPath(name).stem))


def without_copy_mark(name: str) -> str:
    """The name of the file that a file manager made this copy of.

    >>> without_copy_mark("day/run_1 - 복사본 (2).csv")
    'day/run_1.csv'
    """
    path = PurePosixPath(name)
    return path.with_name(COPY.sub("", path.stem) + path.suffix).as_posix()


def folder_words(names: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
    """What the folders of files say: (kind, split) by file name.

    What all files share says nothing, and neither do folders named by numbers or dates.

    >>> folder_words(["ok/1.csv", "ng/2.csv"])
    {'ok/1.csv': ('ok', None), 'ng/2.csv': ('ng', None)}
    """
    parts = {name: PurePosixPath(name).parts[:-1] for name in names}
    shared = next(
        (
            i
            for i, level in enumerate(zip(*parts.values(), strict=False))
            if len(set(level)) > 1
        ),
        min(map(len, parts.values())),
    )
    told: dict[str, tuple[str | None, str | None]] = {}
    for name, folders in parts.items():
        rest = folders[shared:]
        splits = [SPLITS[f.lower()] for f in rest if f.lower() in SPLITS]
        words = [f for f in rest if f.lower() not in SPLITS]
        kind = "/".join(words) if re.search(r"[^\W\d]", "".join(words)) else None
        told[name] = (kind, splits[-1] if splits else None)
    return told
