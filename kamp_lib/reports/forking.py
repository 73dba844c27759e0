"""The fork server of a page server: what it imports, and what its kernels inherit.

It is asked for before anything else of a page server is loaded, so this module is light.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from kamp_lib import kernels
from kamp_lib.settings import settings

KERNEL = "python3"
# What a page needs to be shown; and what its model needs, which a reader asks later.
IMPORTS = ("ipywidgets", "kamp_lib.reports", "kamp_lib.reports.cells")
LATER = (
    *("pandas", "kamp_lib.learning.quality_model", "kamp_lib.learning.tool_risk"),
    *("kamp_lib.learning.vision_risk", "xgboost"),
)
# A server of pages keeps its fork server for as long as it lives.
ALWAYS_S = 10 * 365 * 86_400.0
# The environment of a page's kernel: no token, no address of a hub, no company's folder.
INHERITED = frozenset(
    "PATH HOME LANG LANGUAGE LC_ALL LC_CTYPE TZ TMPDIR LD_LIBRARY_PATH VIRTUAL_ENV"  # noqa: SIM905
    " PYTHONPATH PYTHONHASHSEED PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS"
    " OPENBLAS_NUM_THREADS MKL_NUM_THREADS XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_CONFIG_HOME"
    " JUPYTER_RUNTIME_DIR JUPYTER_DATA_DIR JUPYTER_CONFIG_DIR JUPYTER_PATH IPYTHONDIR"
    " MPLCONFIGDIR KAMP_LANG QUERY_STRING".split()
)


def page_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What a page's kernel may know of its server's environment."""
    kept = {name: value for name, value in env.items() if name in INHERITED}
    # the page's folder is a company's: no module is ever loaded from it
    return {**kept, "PYTHONSAFEPATH": "1"}


def warm_up() -> None:
    """Start the fork server of the pages, before the first one is opened."""
    if settings().fast_kernels:
        kernels.warm(KERNEL, page_environment(os.environ), **fork_traits())


def fork_traits() -> dict[str, Any]:
    """What the pages' fork server is like."""
    return {"imports": list(IMPORTS), "later": list(LATER), "idle_s": ALWAYS_S}
