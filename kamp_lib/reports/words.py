"""The words of the decision pages: one catalogue, two languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kamp_lib.text import Language, Text

CATALOGUE = Path(__file__).parent / "words.yaml"


@cache
def catalogue(path: Path = CATALOGUE) -> dict[str, Text]:
    """All words by key."""
    # libyaml reads ten times faster; the pure reader is there everywhere
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return {key: Text(**entry) for key, entry in entries.items()}


class Words:
    """Speaks one language: `words("verdict.usable")`, `words("unit.cases", n=3)`.

    A `Text` among the values is said in the same language.
    """

    def __init__(self, lang: Language, path: Path = CATALOGUE) -> None:
        self.lang: Language = lang
        self.catalogue = catalogue(path)

    def __call__(self, key: str, **values: Any) -> str:
        said = {k: self.of(v) if isinstance(v, Text) else v for k, v in values.items()}
        return self.of(self.catalogue[key]).format(**said)

    def of(self, text: Text) -> str:
        """The side of `text` that this language reads."""
        return text.ko if self.lang == "ko" else text.en

    def maybe(self, key: str, default: str, **values: Any) -> str:
        """The words of `key`, or `default` when the catalogue has none."""
        return self(key, **values) if key in self.catalogue else default
