"""Korean particles that follow the sound of the word before them."""

from __future__ import annotations

_HANGUL = range(0xAC00, 0xD7A4)
# digits and letters as they are read aloud: does the reading end in a consonant?
_CLOSED = set("0136780lmnrLMNR")


def ends_closed(word: str) -> bool:
    """Whether the word, read aloud in Korean, ends in a consonant.

    Examples
    --------
    >>> ends_closed("불량"), ends_closed("마모")
    (True, False)
    """
    letters = [c for c in word if c.isalnum()]
    if not letters:
        return False
    last = letters[-1]
    if ord(last) in _HANGUL:
        return (ord(last) - 0xAC00) % 28 != 0
    return last in _CLOSED


def particle(word: str, closed: str, opened: str) -> str:
    """The word with the fitting particle: `particle("불량", "이", "가")` is 불량이."""
    return word + (closed if ends_closed(word) else opened)
