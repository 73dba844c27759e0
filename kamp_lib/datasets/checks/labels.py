"""Labels: only one kind, given away by a column, or contradicting each other."""

from __future__ import annotations

from math import comb, log2

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import (
    Context,
    Label,
    is_label_name,
    number_text,
)
from kamp_lib.datasets.checks.words import plain
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.storage.duplicates import row_hashes
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

# A column gives the label away when so good a match has at most this probability to
# come about by shuffling the labels (2 to the power of -20, about one in a million).
CHANCE_BITS = 20.0
FEWEST_EACH = 3  # cases of either kind
MOST_WORDS = 50
SAMPLE = 20_000
TELLING = 4  # columns of most values, which hardly two records share


def single_class_label(context: Context) -> list[Finding]:
    """A label column in which only one label occurs."""
    findings = []
    for label in context.labels:
        held = context.frame[label.name].dropna()
        words = {plain(str(value)) for value in held.unique()[:MOST_WORDS]}
        if len(held) < 10 or len(words) != 1:
            continue
        findings.append(
            finding(
                "single-class-label",
                columns=context.names(label.name),
                count=len(held),
                examples=[held.iloc[0]],
                column=context.shown(label.name),
                value=held.iloc[0],
            )
        )
    return findings


def graded_labels(context: Context) -> list[Finding]:
    """Labels of several grades or classes, of which nobody said which are bad."""
    named = [c for c in context.columns if _is_graded_label(context, c)]
    findings = []
    for column in named:
        values = sorted(context.graded(column), key=int)
        if len(values) < 3:
            continue
        findings.append(
            finding(
                "graded-label",
                columns=context.names(column),
                count=int(context.frame[column].notna().sum()),
                examples=values,
                column=context.shown(column),
                values=list_of(values),
            )
        )
    return findings


def _is_graded_label(context: Context, column: str) -> bool:
    known = context.standard.get(column)
    if known is not None:
        return known.role == "target" and bool(known.good or known.bad)
    held = pd.api.types.is_numeric_dtype(context.frame[column])
    return held and is_label_name(column)


def unjudged_runs(context: Context) -> list[Finding]:
    """Runs whose place in a label column was left empty."""
    run = context.runs
    if run is None:
        return []
    findings = []
    for label in context.labels:
        judged = context.frame[label.name].notna().groupby(run, sort=False).any()
        blank = [str(name) for name in judged.index[~judged]]
        if blank and judged.any() and _labels_runs(context, label):
            findings.append(
                finding(
                    "unlabelled-runs",
                    columns=context.names(label.name),
                    shown=[context.shown(label.name)],
                    count=len(blank),
                    examples=blank,
                    variant="blank",
                    severity="info",
                )
            )
    return findings


def label_flags(context: Context) -> list[Finding]:
    """Flags that are up only for bad records: kinds of failure, known afterwards."""
    findings = []
    for label in context.labels:
        judged = label.bad.notna().to_numpy()
        bad = label.bad.to_numpy()[judged] == 1
        share = float(bad.mean()) if len(bad) else 0.0
        if not 0 < share <= 0.5:
            continue
        flags: dict[str, np.ndarray] = {}
        for column in _flags(context, label):
            up = context.numbers[column][judged] == 1
            bits = up.sum() * -log2(share)
            # one that is up for every bad record is the label itself, and said to be so
            if bits >= CHANCE_BITS and bad[up].mean() >= 0.98 and up.sum() < bad.sum():
                flags[column] = up
        if flags:
            findings.append(_flagged(context, label, flags, bad))
    return findings


def _flags(context: Context, label: Label) -> list[str]:
    return [
        c
        for c in context.measured
        if c != label.name
        and context.role(c) == "extra"
        and context.distinct[c] == 2
        and set(np.unique(context.numbers[c])) <= {0.0, 1.0}
    ]


def _flagged(
    context: Context, label: Label, flags: dict[str, np.ndarray], bad: np.ndarray
) -> Finding:
    told = int((np.any(list(flags.values()), axis=0) & bad).sum())
    target = context.shown(label.name)
    return finding(
        "label-in-disguise",
        columns=context.names(*flags, label.name),
        shown=[context.shown(c) for c in flags],
        count=told,
        examples=[f"{context.shown(c)}: {int(up.sum()):,}" for c, up in flags.items()],
        variant="flags",
        target=target,
        told=told,
        bad=int(bad.sum()),
    )


def label_in_disguise(context: Context) -> list[Finding]:
    """One column that tells the label of every case, beyond what chance can do."""
    findings = []
    for label in context.labels:
        cases, bad, by_run = _cases(context, label)
        n, k = len(bad), int(bad.sum())
        if min(k, n - k) < FEWEST_EACH:
            continue
        needed = log2(comb(n, k)) if n < 5000 else np.inf
        for column in context.columns:
            if column == label.name:  # a label that the dictionary does not know
                continue
            if context.role(column) in ("target", "id", "time"):
                continue
            if column not in cases or context.distinct[column] == 0:
                continue
            # a number of many values tells by where it lies, not by which it is
            many = column in context.numbers and context.distinct[column] > MOST_WORDS
            bits = _bits(cases[column], bad, context.names_records(column), many=many)
            # a run's label has few cases: one in a thousand shuffles has to do
            least = 10.0 if by_run else CHANCE_BITS
            if bits is None or needed - bits < least:
                continue
            findings.append(
                finding(
                    "label-in-disguise",
                    columns=context.names(column, label.name),
                    shown=[context.shown(column)],
                    count=n,
                    examples=_examples(cases[column], bad),
                    severity="info" if column in context.leaks else None,
                    target=context.shown(label.name),
                    detail=Text(f"{n:,}건 모두 일치", f"in all {n:,} cases"),
                )
            )
    return findings


def _cases(context: Context, label: Label) -> tuple[pd.DataFrame, np.ndarray, bool]:
    """One row per judged case: per run where label is of the run, else per record."""
    judged = label.bad.notna()
    frame = context.frame if judged.all() else context.frame[judged]
    bad = label.bad[judged]
    run = context.runs
    if run is not None and len(bad):
        run = run[judged]
        per_run = bad.groupby(run, sort=False)
        if (per_run.nunique() == 1).all() and len(per_run) < len(bad) / 5:
            constant = [c for c in context.columns if _is_constant(frame[c], run)]
            first = frame[constant].groupby(run, sort=False).first()
            return first, per_run.first().to_numpy(), True
    return frame, bad.to_numpy(), False


def _is_constant(values: pd.Series, run: pd.Series) -> bool:
    """Whether a column has one value (or none) in every run."""
    runs, _ = pd.factorize(run)
    _, first = np.unique(runs, return_index=True)
    before = first[runs]
    for rows in (2000, len(values)):  # most columns already move among the first rows
        codes, _ = pd.factorize(values.iloc[:rows], use_na_sentinel=False)
        if not np.array_equal(codes, codes[before[:rows]]):
            return False
    return True


def _bits(
    values: pd.Series, bad: np.ndarray, is_id: bool, *, many: bool
) -> float | None:
    """Bits of freedom of a perfect rule on one column; None when it is not perfect."""
    isna = values.isna().to_numpy()
    step = max(1, len(values) // SAMPLE)
    if isna.any() and not isna.all() and np.array_equal(isna, bad == 1):
        return 1.0
    if isna.any() and np.array_equal(~isna, bad == 1):
        return 1.0
    if pd.api.types.is_datetime64_any_dtype(values) or is_id:
        return None
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        number = values.to_numpy(dtype=float, na_value=np.nan)
        if many and _overlap(number[::step], bad[::step]):
            return None  # what overlaps in some rows overlaps in all
        good, worse = number[(bad == 0) & ~isna], number[(bad == 1) & ~isna]
        if not len(good) or not len(worse) or isna.mean() > 0.5:
            return None
        apart = good.max() < worse.min() or worse.max() < good.min()
        if apart:
            return 1.0 + log2(max(2, len(np.unique(number))))
        if many:
            return None
    codes, words = pd.factorize(values, use_na_sentinel=False)
    if len(words) > min(MOST_WORDS, len(values) / 2):
        return None
    of_word = np.bincount(codes, weights=bad, minlength=len(words))
    size = np.bincount(codes, minlength=len(words))
    perfect = len(words) > 1 and np.all((of_word == 0) | (of_word == size))
    return float(len(words)) if perfect else None


def _overlap(number: np.ndarray, bad: np.ndarray) -> bool:
    good, worse = number[bad == 0], number[bad == 1]
    if not len(good) or not len(worse):
        return False
    above = np.fmin.reduce(worse) > np.fmax.reduce(good)
    below = np.fmax.reduce(worse) < np.fmin.reduce(good)
    return not (above or below)


def _examples(values: pd.Series, bad: np.ndarray) -> list[str]:
    shown = []
    for which in (0, 1):
        of_kind = values[bad == which].dropna()
        if len(of_kind):
            value = of_kind.iloc[0]
            said = number_text(value) if isinstance(value, float) else str(value)
            shown.append(f"{said} -> {which}")
    return shown


def contradicting_twins(context: Context) -> list[Finding]:
    """Groups of records that share every process value and differ in the label."""
    findings = []
    inputs = [c for c in context.measured if not _is_code(context, c)]
    # a setting repeats by nature: only what is measured can make twins
    if sum(context.role(c) != "setpoint" for c in inputs) < 3:
        return []
    # where each record has its picture or curve, that tells records apart
    seen = {"image", "curve"} & {column.kind for column in context.standard.values()}
    if seen or "image" in context.frame.columns:
        return []
    for label in context.labels:
        judged = label.bad.notna()
        bad = label.bad[judged].to_numpy()
        if not 0 < bad.sum() < len(bad) or _labels_runs(context, label):
            continue
        rows = _repeated(context, inputs, np.flatnonzero(judged))
        codes, vectors = pd.factorize(_hashes(context, inputs, rows))
        # settings alone repeat by nature; only rich process values make twins
        if len(bad) - len(rows) + len(vectors) < 0.2 * len(bad):
            continue
        bad = label.bad.to_numpy()[rows]
        of_group = np.bincount(codes, weights=bad)
        size = np.bincount(codes)
        mixed = (of_group > 0) & (of_group < size)
        if not mixed.any():
            continue
        first = rows[codes == np.flatnonzero(mixed)[0]]
        findings.append(
            finding(
                "contradicting-twins",
                columns=context.names(label.name),
                count=int(mixed.sum()),
                examples=_rows(context, first),
                rows=int(size[mixed].sum()),
                shared=int((size > 1).sum()),
                target=context.shown(label.name),
            )
        )
    return findings


def _repeated(context: Context, inputs: list[str], rows: np.ndarray) -> np.ndarray:
    """Rows that may share every value: those that share the columns of most values.

    In most data hardly any do, and the rest need not be looked at in all columns.
    """
    telling = sorted(inputs, key=lambda c: -context.distinct[c])[:TELLING]
    return rows[pd.Series(_hashes(context, telling, rows)).duplicated(keep=False)]


def _hashes(context: Context, columns: list[str], rows: np.ndarray) -> np.ndarray:
    frame = context.frame[columns]
    chosen = frame if len(rows) == len(frame) else frame.iloc[rows]
    return row_hashes(chosen).to_numpy()


def _is_code(context: Context, column: str) -> bool:
    """A small whole number of an unknown column: a cavity, a side, an inspector."""
    if context.role(column) != "extra" or context.distinct[column] > 10:
        return False
    number = context.numbers[column]
    return bool(np.all(number[np.isfinite(number)] % 1 == 0))


def _labels_runs(context: Context, label: Label) -> bool:
    """Whether the label is of the whole run, not of one record."""
    run = context.runs
    if run is None:
        return False
    return bool((label.bad.groupby(run, sort=False).nunique() <= 1).all())


def _rows(context: Context, places: np.ndarray) -> list[str]:
    if "_row" not in context.frame.columns:
        return []
    return [f"row {row}" for row in context.frame["_row"].iloc[places[:4]]]
