"""Words in two languages: Korean first, English second."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_chosen: ContextVar[Language | None] = ContextVar("kamp_language", default=None)


def language() -> Language:
    """The language people read now: chosen with `speaking`, else `KAMP_LANG`, else Korean."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    return "en" if os.environ.get("KAMP_LANG", "ko").lower().startswith("en") else "ko"


def choose_language(lang: Language | None) -> None:
    """Use `lang` from here on (None goes back to `KAMP_LANG`)."""
    if lang is not None and lang not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, not {lang!r}")
    _chosen.set(lang)


@contextmanager
def speaking(lang: Language) -> Iterator[None]:
    """Use `lang` inside a `with` block."""
    token = _chosen.set(lang)
    try:
        yield
    finally:
        _chosen.reset(token)


class Text(BaseModel):
    """One sentence or name in Korean and English; `str()` gives the reader's language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ko: str
    en: str

    def __init__(self, ko: str, en: str, **extra: Any) -> None:
        super().__init__(ko=ko, en=en, **extra)

    def __str__(self) -> str:
        return self.ko if language() == "ko" else self.en

    def format(self, **values: Any) -> Text:
        """Fill `{name}` places; a `Text` value is filled in its own language."""
        ko = {k: v.ko if isinstance(v, Text) else v for k, v in values.items()}
        en = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
        return Text(self.ko.format(**ko), self.en.format(**en))
