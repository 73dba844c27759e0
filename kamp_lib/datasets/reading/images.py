"""A folder of pictures -> one row per picture: class, split and mask from its folders.

    train/defect/part_01.png     class defect, split train
    ok/part_07.png               class ok
    part_09.png                  no class
    part_09_mask.png             where the defect of part_09 is: no picture of its own

Where some pictures lie below train/ and test/, a picture elsewhere has no class: such a
folder (`samples/`) is no verdict, and neither is one called `images/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, ROW, Raw, Rejected, Source
from kamp_lib.datasets.reading.masks import PLAIN_FOLDERS, SPLITS, pair_masks
from kamp_lib.datasets.reading.pictures import (
    ENDINGS_OF,
    Look,
    Picture,
    look_at_all,
    marked_share,
)
from kamp_lib.datasets.types import ORIGIN, Finding
from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

READING = Text("이미지 읽는 중", "reading images")
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("image_id", pa.string()),
        ("defect_class", pa.string()),
        ("split", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("color_mode", pa.string()),
        ("DateTimeOriginal", pa.string()),
        ("defect_mask", pa.string()),
        ("has_defect", pa.string()),
        ("defect_share", pa.float64()),
        (ORIGIN, pa.string()),
        (FILE, pa.string()),
        (ROW, pa.int64()),
    ]
)
ALWAYS = frozenset({"image", "image_id", "width", "height", "color_mode", FILE, ROW})


@dataclass(frozen=True)
class Mask:
    """The mask of one picture: where it is kept, and how much of it is marked."""

    name: str
    image: str
    share: float


@dataclass(frozen=True)
class Shot:
    """One readable picture of a part, with what its place says of it."""

    name: str
    path: Path
    image: str  # the name it is kept under
    picture: Picture
    kind: str | None
    split: str | None
    mask: Mask | None = None


def read_images(
    files: Sequence[tuple[Path, str]], *, progress: Progress = silent
) -> Raw:
    """Read pictures: what each is, and whether it can be opened at all.

    Masks beside the pictures are no rows: they tell whether and where a picture shows a
    defect. Files that cannot be opened are rejected, each with its reason.

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
    from kamp_lib.datasets.checks.images import near_duplicates

    masked = pair_masks([name for _, name in files])
    sources: list[Source] = []
    rejected: list[Rejected] = []
    shots: list[Shot] = []
    masks: dict[str, Mask] = {}
    places = _places([name for _, name in files if name not in masked])
    looks = look_at_all([path for path, _ in files], progress, READING)
    for (path, name), seen in zip(files, looks, strict=True):
        is_mask = name in masked
        fault = seen.fault
        if is_mask and fault is None and masked[name] is None:
            fault = "mask-without-image"
        kind, split = (None, None) if is_mask else places[name]
        rows = 0 if is_mask and fault is None else 1
        sources.append(_source(path, name, seen, rows, kind, split))
        if fault is not None or seen.picture is None:
            code = fault or "unreadable-image"
            rejected.append(Rejected.because(code, name, 1, original=name))
            continue
        image = seen.sha256 + path.suffix.lower()
        of = masked.get(name)
        if of is not None:
            masks[of] = Mask(name, image, marked_share(path) or 0.0)
        else:
            shots.append(Shot(name, path, image, seen.picture, kind, split))
    if not shots:
        raise _none(files, rejected)
    shots = _with_masks(shots, masks)
    small = np.stack([shot.picture.small for shot in shots])
    findings = [*_said(shots), *near_duplicates(shots, small)]
    return Raw(_table(shots), sources, rejected, findings, images=True)


def _places(names: list[str]) -> dict[str, tuple[str | None, str | None]]:
    """Class and split of every picture by the folders of its name."""
    found = {name: _place(name) for name in names}
    if any(split for _, split in found.values()):
        return {n: (k if s else None, s) for n, (k, s) in found.items()}
    return found


def _place(name: str) -> tuple[str | None, str | None]:
    folders = list(PurePosixPath(name).parts[:-1])
    splits = [SPLITS[f.lower()] for f in folders if f.lower() in SPLITS]
    classes = [f for f in folders if f.lower() not in {*SPLITS, *PLAIN_FOLDERS}]
    return (classes[-1] if classes else None, splits[-1] if splits else None)


def _source(
    path: Path, name: str, seen: Look, rows: int, kind: str | None, split: str | None
) -> Source:
    details = {k: v for k, v in (("class", kind), ("split", split)) if v}
    return Source(name, path, seen.sha256, seen.bytes, rows, None, details)


def _none(files: Sequence[tuple[Path, str]], rejected: list[Rejected]) -> KampError:
    why = rejected[0].reason if rejected else Text("마스크뿐", "masks only")
    return KampError(
        f"이미지로 읽을 수 있는 파일이 없습니다(예: {files[0][1]}: {why.ko})."
        " PNG나 JPEG으로 다시 저장하세요.",
        f"none of the files can be read as an image ({files[0][1]}: {why.en});"
        " save them as PNG or JPEG.",
    )


def _with_masks(shots: list[Shot], masks: dict[str, Mask]) -> list[Shot]:
    """Every picture with its mask; where folders tell no class, the mask does."""
    if not masks:
        return shots
    told = any(shot.kind for shot in shots)
    result = []
    for shot in shots:
        mask = masks.get(shot.name)
        kind = shot.kind
        if mask is not None and not told:
            kind = "defect" if mask.share > 0 else "ok"
        result.append(replace(shot, mask=mask, kind=kind))
    return result


def _table(shots: list[Shot]) -> pa.Table:
    rows = [
        {
            "image": shot.image,
            "image_id": PurePosixPath(shot.name).with_suffix("").as_posix(),
            "defect_class": shot.kind,
            "split": shot.split,
            "width": shot.picture.width,
            "height": shot.picture.height,
            "color_mode": shot.picture.mode,
            "DateTimeOriginal": shot.picture.taken,
            **_marked(shot.mask),
            ORIGIN: shot.picture.origin,
            FILE: shot.name,
            ROW: 1,
        }
        for shot in shots
    ]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    nulls = {c for c in SCHEMA.names if table[c].null_count == table.num_rows}
    return table.drop_columns(sorted(nulls - ALWAYS))


def _marked(mask: Mask | None) -> dict[str, str | float]:
    if mask is None:
        return {}
    share = round(100 * mask.share, 4)
    defect = "yes" if mask.share > 0 else "no"
    return {"defect_mask": mask.image, "has_defect": defect, "defect_share": share}


def _said(shots: list[Shot]) -> list[Finding]:
    """What is worth knowing of the pictures, beyond twins."""
    pictures = {shot.name: shot.picture for shot in shots}
    groups = {
        "several-pages": [n for n, p in pictures.items() if p.pages > 1],
        "turned-images": [n for n, p in pictures.items() if p.turned],
        "wrong-image-ending": [
            n
            for n, p in pictures.items()
            if PurePosixPath(n).suffix.lower() not in ENDINGS_OF.get(p.format, ())
        ],
    }
    found = [
        finding(code, columns=["image"], count=len(names), examples=names)
        for code, names in groups.items()
        if names
    ]
    return [*_modes(shots), *_masks(shots), *_thermal(pictures), *found]


def _thermal(pictures: dict[str, Picture]) -> list[Finding]:
    names = [n for n, p in pictures.items() if p.false_coloured or p.radiometric]
    if not names:
        return []
    inside = any(pictures[n].radiometric for n in names)
    return [
        finding(
            "thermal-palette",
            columns=["image"],
            count=len(names),
            examples=names,
            variant="radiometric" if inside else None,
        )
    ]


def _masks(shots: list[Shot]) -> list[Finding]:
    masked = [shot for shot in shots if shot.mask is not None]
    if not masked:
        return []
    marked = [s for s in masked if s.mask is not None and s.mask.share > 0]
    return [
        finding(
            "masks-read",
            columns=["defect_mask", "has_defect"],
            count=len(masked),
            examples=[f"{s.name} + {s.mask.name}" for s in masked if s.mask],
            defects=len(marked),
            without=len(shots) - len(masked),
        )
    ]


def _modes(shots: list[Shot]) -> list[Finding]:
    kinds = {
        s.name: (s.picture.mode, f"{s.picture.width}×{s.picture.height}") for s in shots
    }
    often = Counter(kinds.values()).most_common()
    if len(often) < 2:
        return []
    others = [name for name, kind in kinds.items() if kind != often[0][0]]
    said = ", ".join(f"{mode} {size}: {n:,}" for (mode, size), n in often[:6])
    return [
        finding(
            "mixed-image-modes",
            columns=["color_mode", "width", "height"],
            count=len(others),
            examples=others,
            modes=said,
        )
    ]
