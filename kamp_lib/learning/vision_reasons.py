"""Why a picture is suspect, in words: where it differs, how much, and in what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.learning.vision_features import KINDS, layout
from kamp_lib.learning.vision_patches import GRID
from kamp_lib.learning.vision_pictures import place_of
from kamp_lib.text import Text

PLACES = {
    (0, 0): Text("왼쪽 위", "upper left"),
    (0, 1): Text("위쪽", "top"),
    (0, 2): Text("오른쪽 위", "upper right"),
    (1, 0): Text("왼쪽", "left"),
    (1, 1): Text("가운데", "centre"),
    (1, 2): Text("오른쪽", "right"),
    (2, 0): Text("왼쪽 아래", "lower left"),
    (2, 1): Text("아래쪽", "bottom"),
    (2, 2): Text("오른쪽 아래", "lower right"),
}
CLEAR = 1.0  # heat, in limits of good patches, from which a place is told


def kind_shares(shares: np.ndarray) -> pd.DataFrame:
    """Per picture, how much each kind of feature speaks for bad (rows sum to 1 or 0)."""
    kinds = layout().kind
    raised = np.clip(shares, 0, None)
    sums = np.column_stack([raised[:, kinds == k].sum(axis=1) for k in KINDS])
    whole = sums.sum(axis=1, keepdims=True)
    return pd.DataFrame(sums / np.maximum(whole, 1e-12), columns=list(KINDS))


def reason(heat: np.ndarray, kinds: pd.Series | None) -> Text:
    """One sentence about one picture."""
    strength = float(heat.max())
    what = KINDS[str(kinds.idxmax())] if kinds is not None and kinds.max() > 0 else None
    if strength >= CLEAR:
        place = PLACES[place_of(heat)]
        ko = f"{place.ko}에 양품 한계의 {strength:.1f}배로 다른 곳이 있습니다"
        en = (
            f"a place ({place.en}) differs {strength:.1f} times the limit of good parts"
        )
    else:
        ko = "두드러지게 다른 한 곳은 없습니다"
        en = "no single place stands out"
    if what is not None:
        ko += f" (판단 근거: 주로 {what.ko})"
        en += f" (judged mostly by {what.en})"
    return Text(ko, en)


def causes_table(
    heat: np.ndarray, shares: np.ndarray | None, flagged: np.ndarray
) -> pd.DataFrame:
    """What speaks for bad over the flagged pictures, strongest first.

    By kind of feature when features decide, by place on the picture when patches do.
    """
    rows = flagged if flagged.any() else np.ones(len(heat), dtype=bool)
    if shares is not None:
        mean = kind_shares(shares[rows]).mean()
        told = [
            (
                kind,
                KINDS[kind],
                float(share),
                Text(
                    f"불량 판정의 {share:.0%}는 '{KINDS[kind].ko}'에서 나왔습니다.",
                    f"{share:.0%} of what speaks for bad comes from {KINDS[kind].en}.",
                ),
            )
            for kind, share in zip(KINDS, mean, strict=True)
        ]
    else:
        told = [
            (
                f"place_{row}_{column}",
                PLACES[row, column],
                share,
                Text(
                    f"양품과 다른 곳의 {share:.0%}가 {PLACES[row, column].ko}에 있습니다.",
                    f"{share:.0%} of what differs is at the {PLACES[row, column].en}.",
                ),
            )
            for (row, column), share in place_shares(heat[rows]).items()
        ]
    table = pd.DataFrame(
        [
            {
                "column": column,
                "ko": label.ko,
                "en": label.en,
                "unit": "",
                "share": share,
                "direction": "either",
                "usual_low": np.nan,
                "usual_high": np.nan,
                "bad_median": np.nan,
                "controllable": False,
                "sentence_ko": sentence.ko,
                "sentence_en": sentence.en,
            }
            for column, label, share, sentence in told
            if share > 0
        ]
    )
    if table.empty:
        return table
    return table.sort_values("share", ascending=False, ignore_index=True)


def place_shares(heat: np.ndarray) -> dict[tuple[int, int], float]:
    """How the heat above half a limit spreads over the nine places of the picture."""
    third = np.arange(GRID) * 3 // GRID
    glow = np.clip(heat - 0.5, 0, None).mean(axis=0).reshape(GRID, GRID)
    whole = max(float(glow.sum()), 1e-12)
    return {
        (row, column): float(glow[np.ix_(third == row, third == column)].sum()) / whole
        for row, column in PLACES
    }
