"""One word in several spellings: case, width, spaces, split Hangul, a slip of the finger."""

from __future__ import annotations

import re
from unicodedata import normalize

import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.types import Finding

MOST_WORDS = 200
# A slip is rare beside the word that was meant, and long enough not to be another word.
RARER = 20
FEWEST_LETTERS = 6  # single letters: a Hangul syllable has two or three


def category_variants(context: Context) -> list[Finding]:
    """Columns that write one word in several ways."""
    findings = []
    for column in context.columns:
        counts, several = spellings(context, column)
        if not several:
            continue
        said = [" / ".join(f"'{w}'" for w in words) for words in several]
        findings.append(
            finding(
                "category-variants",
                columns=context.names(column),
                count=sum(counts[w] for words in several for w in words[1:]),
                examples=said,
                column=context.shown(column),
                groups=list_of(said),
            )
        )
    return findings


def spellings(context: Context, column: str) -> tuple[dict[str, int], list[list[str]]]:
    """How often each word occurs, and the words written in several ways.

    The first of each is the spelling that is used most.
    """
    values = context.frame[column]
    if not pd.api.types.is_string_dtype(values):
        return {}, []
    if context.distinct[column] > MOST_WORDS or context.role(column) == "time":
        return {}, []
    counts = {str(w): int(n) for w, n in values.value_counts().items()}
    several = _same_words(counts)
    if context.role(column) != "id":
        several += _slips(counts, several)
    return counts, several


def plain(word: str) -> str:
    """A word without what does not change it: width, case, spaces, dashes.

    >>> plain("Ｅｎｄ - 1") == plain("END1")
    True
    """
    return re.sub(r"[\s_\-]+", "", normalize("NFKC", word)).casefold()


def _same_words(counts: dict[str, int]) -> list[list[str]]:
    spellings: dict[str, list[str]] = {}
    for word in counts:
        spellings.setdefault(plain(word), []).append(word)
    return [words for words in spellings.values() if len(words) > 1]


def _slips(counts: dict[str, int], known: list[list[str]]) -> list[list[str]]:
    """Rare words that are one letter away from a common one; numbers have to agree."""
    taken = {word for words in known for word in words}
    letters = {w: normalize("NFKD", plain(w)) for w in counts if w not in taken}
    found = []
    for rare, seldom in letters.items():
        for common, often in letters.items():
            likely = counts[common] >= RARER * counts[rare]
            long = min(len(seldom), len(often)) >= FEWEST_LETTERS
            if likely and long and _one_slip(seldom, often):
                found.append([common, rare])
                break
    return found


def _one_slip(one: str, other: str) -> bool:
    """One letter changed, missing, added or exchanged with its neighbour; no digit is."""
    if re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return False
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or a[:2][::-1] + a[2:] == b
