"""Do these files belong together? Told by their columns and what these hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

import pandas as pd
import pyarrow as pa

from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.raw import RUN, Raw
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

FEW_ROWS = 10  # so short a file tells too little
SAMPLE = 2000  # rows whose values are compared


@dataclass
class Together:
    """Files that belong together, and those that do not."""

    alike: list[Raw]
    strangers: list[Raw] = field(default_factory=list)


def name_of(raw: Raw) -> str:
    return raw.sources[0].name


def same_name(column: str) -> str:
    """What of a column's name counts: neither case nor spaces nor the width of letters.

    >>> same_name("Temp (C)") == same_name("temp(c)")
    True
    """
    return re.sub(r"[\s_]+", "", normalize("NFKC", column)).casefold()


def sort_out(raws: Sequence[Raw]) -> Together:
    """Tell files with the usual columns from strangers.

    The same columns in any order belong together. A file with other columns, or under
    other spellings, has to share half of all columns with them, and its values have to look
    like those of the others: names that slipped by one column fit by name alone.
    """
    headers = [frozenset(raw.columns) - {RUN} for raw in raws]
    usual = Counter(headers).most_common(1)[0][0]
    model = raws[headers.index(usual)]
    found = Together([])
    for raw, own in zip(raws, headers, strict=True):
        fits = own == usual or _fits(raw, model)
        (found.alike if fits else found.strangers).append(raw)
    return found


def _fits(raw: Raw, model: Raw) -> bool:
    own = {same_name(c): c for c in raw.columns if c != RUN}
    usual = {same_name(c): c for c in model.columns if c != RUN}
    shared = own.keys() & usual.keys()
    if not shared or len(shared) * 2 < len(own.keys() | usual.keys()):
        return False
    pairs = [
        (_range(raw, own[key]), _range(model, usual[key])) for key in sorted(shared)
    ]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    meet = sum(a[0] <= b[1] and b[0] <= a[1] for a, b in both)
    return len(both) < 3 or meet * 2 >= len(both)


def _range(raw: Raw, column: str) -> tuple[float, float] | None:
    """Where nine tenths of a column's numbers lie; None when there are too few."""
    cells = raw.table[column].slice(0, SAMPLE).cast(pa.string()).to_pandas()
    numbers = pd.to_numeric(cells, errors="coerce").dropna()
    if len(numbers) < FEW_ROWS or len(numbers) < 0.8 * cells.notna().sum():
        return None
    low, high = numbers.quantile([0.05, 0.95])
    return float(low), float(high)


def refuse_strangers(found: Together, folder: str | None) -> list[Finding]:
    """A few strangers in a folder are left aside and named; else all is refused."""
    names = [name_of(raw) for raw in found.strangers]
    if not names:
        return []
    if folder is not None and len(found.alike) >= max(2, 2 * len(names)):
        columns = list_of([c for r in found.strangers for c in r.columns if c != RUN])
        return [
            finding(
                "stranger-file",
                count=len(names),
                examples=names,
                folder=folder,
                found=columns,
            )
        ]
    if len(found.alike) == 1:
        every = [name_of(found.alike[0]), *names]
        raise KampError(
            f"서로 다른 표가 {len(every)}개 있습니다({', '.join(every[:5])})."
            " 한 데이터셋에는 같은 표만 담을 수 있으니 하나씩 가져오세요.",
            f"there are {len(every)} different tables ({', '.join(every[:5])}); a data set"
            " holds tables of one kind, so ingest them one by one.",
        )
    name = names[0]
    raise KampError(
        f"'{name}'의 열이 다른 파일들과 다릅니다. 따로 가져오거나,"
        f" 판정이 적힌 파일이면 --labels {name} --on 열이름 을 쓰세요.",
        f"the columns of {name!r} differ from the other files; ingest it apart,"
        f" or if it holds labels, use --labels {name} --on COLUMN.",
    )
