"""What our Jupyter servers do without while they start: people wait for that.

Called first, before anything of Jupyter is imported. Nothing here changes what a server
does for those who use it; a test holds that the parts left out are still there to be
left out, so that a new version of a library cannot make this pointless in silence.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def hurrying() -> Iterator[None]:
    """Leave out what is slow; look for garbage only once everything is imported."""
    gc.disable()
    _no_grammar()
    try:
        yield
    finally:
        gc.enable()
        # what is there now stays: it need not be looked at again
        gc.freeze()


def _no_grammar() -> None:
    """Two seconds: the checker of web addresses in schemas of events builds a grammar.

    `None` makes its import fail, which its only user has provided for.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def no_yarn() -> None:
    """Half a second: JupyterLab asks Node for yarn's settings, which only a build needs.

    It is told what it is told on a machine without Node. Nothing is built inside the walls.
    """
    from jupyterlab import commands

    def nothing(_: Any) -> dict[str, dict[str, Any]]:
        return {"yarn config": {}, "npm config": {}}

    commands._yarn_config = nothing
