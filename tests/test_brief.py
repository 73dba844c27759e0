"""What a notebook prints of objects that hold whole tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kamp_lib.brief import Brief


@dataclass(repr=False)
class Inner(Brief):
    table: pd.DataFrame
    values: np.ndarray


@dataclass(repr=False)
class Outer(Brief):
    inner: Inner
    name: str
    score: float | None
    notes: dict[str, str] = field(default_factory=dict)
    _hidden: str = "not shown"


def test_it_says_how_much_is_held_not_what() -> None:
    inner = Inner(pd.DataFrame({"비밀": range(4), "x": 1.0}), np.zeros(1000))
    assert repr(inner) == "Inner(table=<4 x 2>, values=<1000>)"


def test_what_is_held_inside_is_only_named() -> None:
    inner = Inner(pd.DataFrame(), np.zeros(1))
    outer = Outer(inner, "사출 3호기", None, {"a": "b"})
    assert repr(outer) == "Outer(inner=Inner, name='사출 3호기', score=None, notes=<1>)"


def test_long_words_are_cut() -> None:
    assert len(repr(Outer(Inner(pd.DataFrame(), np.zeros(1)), "가" * 5000, 0.5))) < 120
