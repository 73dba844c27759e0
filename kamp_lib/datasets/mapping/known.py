"""The names of the standard columns, to be looked up by any way of writing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from kamp_lib.catalog import Column
from kamp_lib.datasets.mapping.names import Name, likeness, take_apart

KNOWN = 0.85  # a name this like a standard one counts as known


class KnownNames:
    """Names and synonyms of columns, sorted so that a file of many columns is quick.

    Names can only be alike when their numbers and single letters agree, and when they
    share a word or begin alike; all others are never compared.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._near: dict[str, dict[int, tuple[float, str]]] = {}

    @cached_property
    def _index(self) -> dict[tuple[object, ...], list[tuple[int, str]]]:
        index: dict[tuple[object, ...], list[tuple[int, str]]] = {}
        for place, column in enumerate(self.columns):
            for said in dict.fromkeys(
                (column.name, column.ko, column.en, *column.synonyms)
            ):
                for key in _keys(take_apart(said)):
                    index.setdefault(key, []).append((place, said))
        return index

    def near(self, name: str) -> dict[int, tuple[float, str]]:
        """Place of each column with a name at all like this one: how like, and to which."""
        if name not in self._near:
            found: dict[int, tuple[float, str]] = {}
            keys = _keys(take_apart(name))
            entries = (entry for key in keys for entry in self._index.get(key, ()))
            for place, said in dict.fromkeys(entries):
                alike = likeness(name, said)
                if alike > found.get(place, (0.0, ""))[0]:
                    found[place] = alike, said
            self._near[name] = found
        return self._near[name]

    def nearest(self, names: Iterable[str]) -> dict[int, tuple[float, str]]:
        """As `near`, for the best of several ways to write one name."""
        found: dict[int, tuple[float, str]] = {}
        for name in names:
            for place, one in self.near(name).items():
                found[place] = max(found.get(place, one), one)
        return found

    def column(self, name: str) -> Column | None:
        """The standard column that a name speaks of, when it is plain."""
        found = self.near(name)
        best = max(found, key=lambda place: (found[place][0], -place), default=None)
        if best is None or found[best][0] < KNOWN:
            return None
        return self.columns[best]


def _keys(name: Name) -> Iterable[tuple[object, ...]]:
    """Names that share none of these keys are not alike."""
    agree = name.numbers, name.letters
    words = (name.meaning | name.meaning_by_unit) - set(name.numbers) - name.letters
    yield ("", name.joined)
    yield ("", name.plain)
    yield (*agree, "begins", name.joined[:2])
    for word in words:
        yield (*agree, word)
