"""KAMP Workbench: a factory's own file in, a decision page out.

>>> import kamp_lib
>>> company = kamp_lib.open_tenant("haneul-mold")      # doctest: +SKIP
>>> company.dataset("injection").to_pandas()           # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kamp_lib.errors import KampError, UsageError
from kamp_lib.text import Text, choose_language, language

if TYPE_CHECKING:
    from kamp_lib.workbench import Company, open_tenant

__all__ = [
    "Company",
    "KampError",
    "Text",
    "UsageError",
    "choose_language",
    "language",
    "open_tenant",
]


def __getattr__(name: str) -> Any:
    # Loaded when first used: the command line starts without pandas and papermill.
    if name in ("Company", "open_tenant"):
        from kamp_lib import workbench

        return getattr(workbench, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
