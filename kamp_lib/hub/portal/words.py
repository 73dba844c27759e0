"""The words of the portal and the hub's pages: one catalogue, two languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kamp_lib.text import Language, Text

CATALOGUE = Path(__file__).parent / "words.yaml"


@cache
def catalogue() -> dict[str, Text]:
    """All words by key."""
    entries = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return {key: Text(**entry) for key, entry in entries.items()}


def said(lang: Language, key: str, **values: Any) -> str:
    """The words of `key`; a `Text` among the values is said in the same language."""
    filled = {k: of(lang, v) if isinstance(v, Text) else v for k, v in values.items()}
    return of(lang, catalogue()[key]).format(**filled)


def of(lang: Language, text: Text) -> str:
    """The side of `text` that this language reads."""
    return text.ko if lang == "ko" else text.en
