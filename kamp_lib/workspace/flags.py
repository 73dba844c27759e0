"""Sentences of the command line, said for the form: `--dataset` is a field here."""

from __future__ import annotations

import re

from kamp_lib.reports.words import Words
from kamp_lib.text import Text

FIELDS = {
    "--dataset": "in.dataset",
    "--sheet": "in.sheet",
    "--dates": "in.dates",
    "--layout": "in.layout",
    "--labels": "in.labels",
    "--on": "in.on",
    "--personal": "in.personal",
    "--replace": "in.replace",
    "--fix": "in.fix",
    "--mapping": "in.mapping",
}
# In Korean a particle follows: after an option with a space, after a word without.
_FLAG = re.compile(r"(--[a-z]+(?:-[a-z]+)*)( (?=[가-힣]))?")


class Spoken:
    """Says a text in one language with the names of fields instead of options.

    >>> Spoken(words("ko"))(Text("--sheet 로 고르세요", "choose with --sheet"))
    "'시트(또는 표) 이름'로 고르세요"
    """

    def __init__(self, words: Words) -> None:
        self._words = words

    def __call__(self, text: Text) -> str:
        return _FLAG.sub(self._field, self._words.of(text))

    def _field(self, found: re.Match[str]) -> str:
        key = FIELDS.get(found[1])
        return f"'{self._words(key)}'" if key else found[0]
