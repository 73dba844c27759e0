"""The words of the start page, in the language the browser asks for."""

from __future__ import annotations

from pathlib import Path

from kamp_lib.reports.words import Words
from kamp_lib.text import Language, Text

CATALOGUE = Path(__file__).parent / "words.yaml"


def words(lang: Language) -> Words:
    """Speaks `lang` with the words of this room."""
    return Words(lang, CATALOGUE)


def text(key: str, **values: str | Text) -> Text:
    """The words of a key in both languages."""
    return Text(words("ko")(key, **values), words("en")(key, **values))
