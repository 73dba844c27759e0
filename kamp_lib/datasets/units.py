"""Units as people and machines write them: to UCUM codes, converted, and said again."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeVar
from unicodedata import normalize

import numpy as np
import pandas as pd

from kamp_lib.catalog.units import Unit, said, units
from kamp_lib.errors import KampError

__all__ = ["compatible", "convert", "looks_like_unit", "said", "to_ucum"]

Numbers = TypeVar("Numbers", np.ndarray, pd.Series, float)
LONGEST = 24  # characters that a unit may have; more is a remark
DIGITS = 12  # kept of a converted number: 100.00000000000006 says nothing more than 100
TINY = 1e-200
_FACTOR = re.compile(r"^(\D+?)(-?\d)?$")
# One sign for each meaning, before spellings are compared.
_SIGNS = str.maketrans({"μ": "u", "∕": "/", "⁄": "/", "÷": "/", "⋅": "·", "∙": "·",
                        "•": "·", "*": "·", "×": "·", "^": "", "′": "'", "″": '"',
                        "−": "-", "˚": "°", "º": "°"})  # fmt: skip


def to_ucum(text: str, like: str | None = None) -> str | None:
    """The UCUM code of a unit as someone wrote it.

    Parameters
    ----------
    text : str
        `℃`, `kgf/㎠`, `[mm/s]`, `초`, `RPM` …
    like : str, optional
        The UCUM code of a unit that is expected here. It settles what `C`, `g` or `ton`
        means; without it, `C` means nothing.

    Returns
    -------
    str or None
        None when it is no unit that is known.

    Examples
    --------
    >>> to_ucum("kgf/㎠"), to_ucum("degF"), to_ucum("C"), to_ucum("C", like="Cel")
    ('kgf/cm2', '[degF]', None, 'Cel')
    """
    text = _key(text)
    if not text or len(text) > LONGEST:
        return None
    return _known(text, like) or _put_together(text)


def looks_like_unit(text: str) -> bool:
    """Whether a text is a unit somewhere: `C` is one of temperature, in its place."""
    key = _key(text)
    return key in _spellings()[1] or to_ucum(text) is not None


def compatible(one: str, other: str) -> bool:
    """Whether values in one unit can be said in the other: the same kind of quantity.

    A torque is no energy and a share no angle, though their dimensions are equal.
    """
    if one == other:
        return True
    kinds = {units()[code].of for code in (one, other) if code in units()}
    if len(kinds) > 1:
        return False
    first, second = _measure(one), _measure(other)
    if first is None or second is None:
        return False
    return bool(first.dimensionality == second.dimensionality)


def convert(values: Numbers, from_ucum: str, to_ucum: str) -> Numbers:
    """Values in one unit as values in another; degrees keep their offset.

    Parameters
    ----------
    values : ndarray, Series or float
        Numbers; missing ones stay missing.
    from_ucum, to_ucum : str
        UCUM codes.

    Raises
    ------
    KampError
        The units measure different things.

    Examples
    --------
    >>> convert(446.0, "[degF]", "Cel")
    230.0
    """
    if from_ucum == to_ucum:
        return values
    if not compatible(from_ucum, to_ucum):
        shown = said(from_ucum) or from_ucum, said(to_ucum) or to_ucum
        raise KampError(
            f"단위 {shown[0]}은(는) {shown[1]}(으)로 바꿀 수 없습니다.",
            f"{shown[0]} cannot be converted to {shown[1]}.",
        )
    if isinstance(values, pd.Series):
        number = values.to_numpy(dtype=float, na_value=np.nan)
        made = _converted(number, from_ucum, to_ucum)
        return pd.Series(made, index=values.index, name=values.name)
    if isinstance(values, np.ndarray):
        return _converted(values.astype(float), from_ucum, to_ucum)
    return float(_converted(np.array([values], dtype=float), from_ucum, to_ucum)[0])


def _converted(number: np.ndarray, from_ucum: str, to_ucum: str) -> np.ndarray:
    source, target = _measure(from_ucum), _measure(to_ucum)
    # magnitudes stand for factors such as the 10*3 of a code; degrees have none
    scale = source.magnitude / target.magnitude
    registry = _registry()
    made = registry.Quantity(number * scale, source.units).to(target.units).magnitude
    largest = np.abs(made[np.isfinite(made)]).max(initial=0.0)
    if largest < TINY:
        return np.asarray(made)
    return np.round(made, DIGITS - 1 - int(np.floor(np.log10(largest))))


def _key(text: str) -> str:
    """One spelling for all ways to write the same signs."""
    text = normalize("NFKC", str(text).translate(_SIGNS)).translate(_SIGNS)
    text = re.sub(r"\s+", "", text)
    bracketed = re.fullmatch(r"[(\[{<](.*)[)\]}>]", text)
    text = bracketed.group(1) if bracketed else text
    return text.removesuffix(".")


@cache
def _spellings() -> tuple[dict[str, list[Unit]], dict[str, list[Unit]]]:
    """Spelling -> units that it means anywhere, and that it means where expected."""
    plain: dict[str, list[Unit]] = {}
    near: dict[str, list[Unit]] = {}
    for unit in units().values():
        for table, written in ((plain, unit.written), (near, unit.near)):
            for text in written:
                table.setdefault(_key(text), []).append(unit)
        plain.setdefault(unit.ucum, []).append(unit)
    return plain, near


@cache
def _caseless() -> tuple[dict[str, list[Unit]], dict[str, list[Unit]]]:
    tables: list[dict[str, list[Unit]]] = []
    for exact in _spellings():
        table: dict[str, list[Unit]] = {}
        for text, found in exact.items():
            table.setdefault(text.casefold(), []).extend(found)
        tables.append(table)
    return tables[0], tables[1]


def _known(text: str, like: str | None) -> str | None:
    """The unit of the table that is written so; what is expected goes first."""
    tables = [(text, *_spellings()), (text.casefold(), *_caseless())]
    if like is not None:
        for key, plain, near in tables:
            for unit in [*plain.get(key, []), *near.get(key, [])]:
                if compatible(unit.ucum, like):
                    return unit.ucum
    for key, plain, _ in tables:
        if key in plain:
            return plain[key][0].ucum
    return None


def _put_together(text: str) -> str | None:
    """A unit of several known ones: `kgf·m`, `mm/s2`, `kW·h/m2`."""
    sides = []
    for side in text.split("/"):
        factors = [_FACTOR.match(part) for part in re.split(r"[·.]", side)]
        codes = []
        for factor in factors:
            code = _known(factor.group(1), None) if factor else None
            if factor is None or code is None or not re.fullmatch(r"[\w\[\]]+", code):
                return None
            codes.append(code + (factor.group(2) or ""))
        sides.append(".".join(codes))
    code = "/".join(sides)
    return code if len(sides) < 4 and _measure(code) is not None else None


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry  # takes half a second to build

    return PintUcumRegistry()


@cache
def _measure(code: str) -> Any:
    """A code as a quantity of the registry; None for codes that it does not know."""
    from lark.exceptions import LarkError
    from ucumvert import InvalidUcumError

    counted = re.sub(r"\{[^}]*\}", "", code)  # shots and strokes have no dimension
    if counted.startswith("/"):
        counted = f"1{counted}"
    try:
        return _registry().from_ucum(counted or "1")
    except (InvalidUcumError, LarkError):
        return None
