"""Which pictures there are, which are bad, and which belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kamp_lib.errors import KampError
from kamp_lib.learning.vision_images import Pictures, read_pictures
from kamp_lib.learning.vision_twins import twin_groups
from kamp_lib.progress import Progress, silent

GOOD = re.compile(
    r"(?:^|[^a-z])(?:ok|good|pass(?:ed)?|normal)(?:[^a-z]|$)|양품|정상|합격", re.I
)
# Folder names that say nothing about the part.
SILENT = re.compile(
    r"^(images?|img|pictures?|photos?|unlabell?ed|unknown|train(ing)?|test(ing)?|"
    r"val(id(ation)?)?|사진|미분류)$",
    re.I,
)
GIVEN = re.compile(r"(^|/)(train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?)(/|$)", re.I)


@dataclass
class VisionCases:
    """Pictures in the order of the data set, with what is known about each.

    Attributes
    ----------
    frame : DataFrame
        `case`, `path`, `label` (1 bad, 0 good, NaN unknown), `group`, `time`, `twins`
        (number of the twin group), `given` (train, test or None).
    pictures : Pictures
    unreadable : int
    group_by : str or None
        The column that holds pictures together besides being twins.
    """

    frame: pd.DataFrame
    pictures: Pictures
    unreadable: int
    group_by: str | None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def label(self) -> np.ndarray:
        return self.frame["label"].to_numpy(dtype=float)

    @property
    def labelled(self) -> np.ndarray:
        """Row numbers of pictures with a known label."""
        return np.flatnonzero(np.isfinite(self.label))

    @property
    def twins(self) -> int:
        """Pictures that have at least one near-twin."""
        count = self.frame["twins"].value_counts()
        return int(count[count > 1].sum())

    @property
    def crossing(self) -> int:
        """Test pictures of the given split whose near-twin is in its training part."""
        given = self.frame["given"]
        learned = set(self.frame.loc[given == "train", "twins"])
        return int(self.frame.loc[given == "test", "twins"].isin(learned).sum())


def read_cases(
    data: pd.DataFrame,
    images_folder: Path,
    *,
    target: str | None,
    bad_values: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    size: int = 128,
    progress: Progress = silent,
) -> VisionCases:
    """Read the pictures of a data set.

    Parameters
    ----------
    data : DataFrame
        One row per picture; column `image` is the file name in `images_folder`.
    images_folder : Path
    target : str, optional
        Column with the class of each picture.
    bad_values : sequence of str
        Classes that mean bad; empty: every class that does not say good.
    group, time : str, optional
        Column that holds pictures together; column with the time.
    size : int, default=128
        Working size, pixels.

    Raises
    ------
    KampError
        When there is no picture, or none can be read.
    """
    if "image" not in data or data["image"].isna().all():
        raise KampError(
            "이 데이터셋에는 사진 열(image)이 없습니다. 사진 폴더를 가져와 주세요.",
            "this data set has no picture column (image); ingest a folder of pictures",
        )
    rows = data[data["image"].notna()].reset_index(drop=True)
    paths = [Path(images_folder) / str(name) for name in rows["image"]]
    pictures, readable = read_pictures(paths, size, progress)
    rows = rows[readable].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "case": _names(rows),
            "path": [str(p) for p, fine in zip(paths, readable, strict=True) if fine],
            "label": _labels(rows, target, bad_values),
            "time": rows.get(time, pd.NaT),
            "twins": twin_groups(pictures),
            "given": _given_split(rows),
        }
    )
    chosen = group if group in rows else None
    frame["group"] = _held_together(frame["twins"], rows[chosen] if chosen else None)
    return VisionCases(frame, pictures, int((~readable).sum()), chosen)


def _names(rows: pd.DataFrame) -> pd.Series:
    """A name a person can find the picture by: its id, else its file name."""
    for column in ("image_id", "_file", "image"):
        if column in rows and rows[column].notna().all():
            names = rows[column].astype(str)
            if names.is_unique:
                return names
    return rows["image"].astype(str) + "#" + rows.index.astype(str)


def _labels(
    rows: pd.DataFrame, target: str | None, bad_values: Sequence[str]
) -> np.ndarray:
    label = np.full(len(rows), np.nan)
    if target is None or target not in rows:
        return label
    text = rows[target].astype("string").str.strip()
    known = (text.notna() & (text != "")).to_numpy(dtype=bool)
    lower = text.str.lower().fillna("")
    if bad_values:
        bad = lower.isin([str(v).strip().lower() for v in bad_values])
    else:
        known &= ~lower.str.match(SILENT).to_numpy(dtype=bool)
        bad = ~lower.str.contains(GOOD)
    label[known] = bad.to_numpy(dtype=float)[known]
    return label


def _given_split(rows: pd.DataFrame) -> list[str | None]:
    """The train/test part that the folder (or a column) gives each picture."""
    for column in ("split", "subset", "_file", "image_id"):
        if column not in rows:
            continue
        part = (
            rows[column].astype("string").str.replace("\\", "/").str.extract(GIVEN)[1]
        )
        part = part.str.lower().str[:2].map({"tr": "train", "te": "test", "va": "test"})
        if part.nunique() == 2:
            return [p if isinstance(p, str) else None for p in part]
    return [None] * len(rows)


def _held_together(twins: pd.Series, group: pd.Series | None) -> list[str]:
    """One group per lot (or day); twins in two lots bring these lots together."""
    if group is None:
        return [f"{k}" for k in twins]
    codes, names = pd.factorize(group.astype("string").fillna("?"))
    n = len(codes)
    nodes = (np.arange(n), n + codes), (np.arange(n), n + codes.max() + 1 + twins)
    first = np.concatenate([a for a, _ in nodes])
    second = np.concatenate([b for _, b in nodes])
    size = int(second.max()) + 1
    graph = coo_matrix((np.ones(len(first)), (first, second)), shape=(size, size))
    whole = connected_components(graph, directed=False)[1][:n]
    joined = pd.Series(names[codes]).groupby(whole)
    return list(joined.transform(lambda s: "+".join(sorted(set(s))[:3])))
