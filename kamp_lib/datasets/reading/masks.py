"""Masks beside pictures: a picture of where the defect is, not a picture of a part.

part_07.png + part_07_mask.png        beside one another
images/07.png + masks/07.png          in folders of their own
test/crack/000.png + ground_truth/crack/000_mask.png
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

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
# Folders that say what lies in them is pictures, and nothing about the part.
PLAIN_FOLDERS = frozenset(
    {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos"}
    | {"이미지", "사진", "원본", "original", "originals"}
)
MASK_FOLDERS = frozenset(
    {"mask", "masks", "ground_truth", "groundtruth", "gt", "마스크", "결함영역"}
    | {"segmentation", "segmentations"}
)
MASK_ENDING = re.compile(r"[_.\- ](mask|gt|label|seg|마스크)$", re.IGNORECASE)


def pair_masks(names: Sequence[str]) -> dict[str, str | None]:
    """Which of the files are masks, and of which picture each.

    Parameters
    ----------
    names : sequence of str
        Relative to the folder that was given.

    Returns
    -------
    dict
        Mask -> picture; None for a mask whose picture is not there.

    Examples
    --------
    >>> pair_masks(["a.png", "a_mask.png", "b.png"])
    {'a_mask.png': 'a.png'}
    """
    stems = {_place(name) for name in names}
    masks = [n for n in names if _in_mask_folder(n) or _beside(n, stems)]
    pictures = [n for n in names if n not in set(masks)]
    by_key: dict[tuple[str, ...], list[str]] = {}
    for name in pictures:
        for key in dict.fromkeys((_key(name), _key(name, splits=False))):
            by_key.setdefault(key, []).append(name)
    return {mask: _picture_of(mask, by_key) for mask in masks}


def _place(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix().lower()


def _beside(name: str, stems: set[str]) -> bool:
    """Whether the name is another's with `_mask` behind it."""
    place = _place(name)
    return bool(MASK_ENDING.search(place)) and MASK_ENDING.sub("", place) in stems


def _in_mask_folder(name: str) -> bool:
    return any(f.lower() in MASK_FOLDERS for f in PurePosixPath(name).parts[:-1])


def _key(name: str, *, splits: bool = True) -> tuple[str, ...]:
    """What a mask and its picture share: their folders' words and the stem."""
    *folders, _ = (part.lower() for part in PurePosixPath(name).parts)
    idle = PLAIN_FOLDERS | MASK_FOLDERS | (frozenset() if splits else set(SPLITS))
    stem = MASK_ENDING.sub("", PurePosixPath(name).stem.lower())
    return (*(f for f in folders if f not in idle), stem)


def _picture_of(mask: str, by_key: dict[tuple[str, ...], list[str]]) -> str | None:
    for key in (_key(mask), _key(mask, splits=False)):
        found = by_key.get(key, [])
        if len(found) == 1:
            return found[0]
    return None
