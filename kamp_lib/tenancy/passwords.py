"""Passwords: hashed with argon2, one-time ones that people can read, rules for own ones."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kamp_lib.errors import UsageError

SHORTEST, LONGEST = 10, 200
FEWEST_DIFFERENT = 5
# none that is mistaken for another when read aloud or from paper: no 0 o, 1 l i
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 3, 4  # 31 ** 12: 59 bits
COMMONEST = Path(__file__).with_name("commonest_passwords.txt")


class Passwords:
    """Makes and checks hashes; tests hand in a hasher that costs less."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def _nobody(self) -> str:
        return self.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """The hash to keep, salt and parameters included."""
        return self._hasher.hash(_normal(password))

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether this is the password; as much work when there is none to compare with."""
        nobody = self._nobody
        try:
            right = self._hasher.verify(kept or nobody, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with parameters of another time."""
        return self._hasher.check_needs_rehash(kept)


def one_time_password() -> str:
    """A password for one use, such as `k7m4-xw9p-3qtd`."""
    groups = (
        "".join(secrets.choice(READABLE) for _ in range(GROUP)) for _ in range(GROUPS)
    )
    return "-".join(groups)


def check_password(password: str, *, name: str, display_name: str = "") -> str:
    """`password` itself when it will do.

    Raises
    ------
    UsageError
        When it is too short or long, the person's name, or easily guessed.
    """
    if not SHORTEST <= len(password) <= LONGEST or not _encodable(password):
        raise UsageError(
            f"비밀번호는 {SHORTEST}자 이상 {LONGEST}자 이하로 정하세요.",
            f"choose a password of {SHORTEST} to {LONGEST} characters.",
        )
    if _letters(password) in {_letters(name), _letters(display_name)} - {""}:
        raise UsageError(
            "이름을 비밀번호로 쓸 수 없습니다. 다른 비밀번호를 정하세요.",
            "a name cannot be the password; choose another.",
        )
    easy = len(set(password)) < FEWEST_DIFFERENT or _in_a_row(password)
    if easy or password.casefold() in commonest():
        raise UsageError(
            "너무 흔한 비밀번호입니다. 짐작하기 어려운 다른 비밀번호를 정하세요.",
            "that password is too easily guessed; choose another.",
        )
    return password


@cache
def commonest() -> frozenset[str]:
    """Passwords that are tried first, long enough to pass the other rules."""
    return frozenset(COMMONEST.read_text(encoding="utf-8").split())


def _normal(password: str) -> str:
    """One form of Hangul, however the keyboard composes it; anything can be encoded."""
    composed = unicodedata.normalize("NFC", password[: LONGEST + 1])
    return composed.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _encodable(password: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in password)


def _letters(words: str) -> str:
    return "".join(letter for letter in words.casefold() if letter.isalpha())


def _in_a_row(password: str) -> bool:
    """`abcdefghij`, `9876543210`: every character is the next one, or the one before."""
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return steps in ({1}, {-1}, {0})
