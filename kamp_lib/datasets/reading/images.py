"""A folder of pictures -> one row per picture: class and split from its folders.

    train/defect/part_01.png     class defect, split train
    ok/part_07.png               class ok
    part_09.png                  no class

Where some pictures lie below train/ and test/, a picture elsewhere has no class: such a
folder (`image/`, `samples/`) is no verdict.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, ROW, Raw, Rejected, Source, sha256_of
from kamp_lib.datasets.types import ORIGIN, Finding
from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

SPLITS = {
    "train": "train",
    "training": "train",
    "학습": "train",
    "test": "test",
    "testing": "test",
    "시험": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "검증": "validation",
}
ORIGIN_CHUNK = "kamp:origin"  # PNG text that a simulator writes
# A picture that unpacks to more pixels than this is no inspection picture.
MOST_PIXELS = 200_000_000
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("image_id", pa.string()),
        ("defect_class", pa.string()),
        ("split", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("color_mode", pa.string()),
        (ORIGIN, pa.string()),
        (FILE, pa.string()),
        (ROW, pa.int64()),
    ]
)


def read_images(
    files: Sequence[tuple[Path, str]], *, progress: Progress = silent
) -> Raw:
    """Read pictures: what each is, and whether it can be opened at all.

    Parameters
    ----------
    files : sequence of (path, name)
        The name is relative to the folder that was given.
    progress : Progress
        Told of each picture.

    Raises
    ------
    KampError
        When not one of them is a picture.
    """
    step = Text("이미지 읽는 중", "reading images")
    places = [_place(name) for _, name in files]
    with_splits = any(split for _, split in places)
    rows: list[dict[str, Any]] = []
    sources: list[Source] = []
    rejected: list[Rejected] = []
    for done, ((path, name), (kind, split)) in enumerate(
        zip(files, places, strict=True)
    ):
        if done % 50 == 0:
            progress(step, done=done, total=len(files))
        kind = None if with_splits and split is None else kind
        data = path.read_bytes()
        sha = sha256_of(data)
        details = {k: v for k, v in (("class", kind), ("split", split)) if v}
        sources.append(Source(name, path, sha, len(data), 1, None, details))
        seen = _look(data)
        if seen is None:
            rejected.append(
                Rejected.because("unreadable-image", name, 1, original=name)
            )
            continue
        rows.append(
            {
                "image": sha + path.suffix.lower(),
                "image_id": PurePosixPath(name).with_suffix("").as_posix(),
                "defect_class": kind,
                "split": split,
                **seen,
                FILE: name,
                ROW: 1,
            }
        )
    if not rows:
        raise KampError(
            f"이미지로 읽을 수 있는 파일이 없습니다(예: {files[0][1]}). PNG나 JPEG으로 다시 저장하세요.",
            f"none of the files can be read as an image ({files[0][1]}); save them as PNG or JPEG.",
        )
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    for optional in ("defect_class", "split", ORIGIN):
        if table[optional].null_count == table.num_rows:
            table = table.drop_columns([optional])
    findings = [*_modes(rows), *_twins(rows, {name: path for path, name in files})]
    return Raw(table, sources, rejected, findings, images=True)


def _place(name: str) -> tuple[str | None, str | None]:
    """Class and split by the folders of a picture's name."""
    folders = list(PurePosixPath(name).parts[:-1])
    splits = [SPLITS[f.lower()] for f in folders if f.lower() in SPLITS]
    classes = [f for f in folders if f.lower() not in SPLITS]
    return (classes[-1] if classes else None, splits[-1] if splits else None)


def _look(data: bytes) -> dict[str, Any] | None:
    """Size, mode and origin of a picture; None when it cannot be decoded whole."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.load()
            origin = image.info.get(ORIGIN_CHUNK)
            return {
                "width": image.width,
                "height": image.height,
                "color_mode": image.mode,
                ORIGIN: str(origin) if origin else None,
            }
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,  # what Pillow raises for a broken PNG
        Image.DecompressionBombError,
    ):
        return None


def _modes(rows: list[dict[str, Any]]) -> list[Finding]:
    kinds = Counter((r["color_mode"], f"{r['width']}×{r['height']}") for r in rows)
    if len(kinds) < 2:
        return []
    said = ", ".join(
        f"{mode} {size}: {n:,}" for (mode, size), n in kinds.most_common(6)
    )
    usual = kinds.most_common(1)[0][0]
    others = [
        r[FILE]
        for r in rows
        if (r["color_mode"], f"{r['width']}×{r['height']}") != usual
    ]
    return [
        finding(
            "mixed-image-modes",
            columns=["color_mode", "width", "height"],
            count=len(others),
            examples=others,
            modes=said,
        )
    ]


def _twins(rows: list[dict[str, Any]], paths: dict[str, Path]) -> list[Finding]:
    """Pictures that occur more than once, to the byte or to the eye."""
    from kamp_lib.datasets.checks.images import near_twins

    first: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for row in rows:
        known = first.setdefault(row["image"], row[FILE])
        if known != row[FILE]:
            pairs.append((known, row[FILE]))
    names = list(first.values())
    near = near_twins([paths[name] for name in names])
    pairs += [(names[i], names[j]) for i, j in near]
    if not pairs:
        return []
    return [
        finding(
            "near-duplicate-images",
            columns=["image"],
            count=len(pairs),
            examples=[f"{one} = {other}" for one, other in pairs],
        )
    ]
