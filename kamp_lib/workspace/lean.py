"""What our Jupyter servers do without while they start: people wait for that.

Everything that such a server imports is imported inside `hurrying`. Nothing here changes
what a server does for those who use it; a test holds that the parts left out are still
there to be left out, so that a new version of a library cannot make this pointless.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

# Whoever imports these has provided for their absence: checkers of formats that no schema
# of Jupyter's events has (the first builds a grammar, for two seconds), and a command line.
DISPENSABLE = (
    *("rfc3987_syntax", "isoduration", "webcolors", "fqdn", "uri_template"),
    "httpx._main",
)
# Modules of the hub that are named where a server imports the rest, and what it takes out
# of them: a class of an error of databases, and the class of a page of the hub's.
NAMED_ONLY: dict[str, dict[str, type]] = {
    "sqlalchemy": {},
    "sqlalchemy.exc": {"SQLAlchemyError": Exception},
    "jupyterhub.orm": {},
    "jupyterhub.roles": {},
    "jupyterhub.handlers.pages": {"HealthCheckHandler": object},
}


@contextmanager
def hurrying() -> Iterator[None]:
    """Leave out what is slow; look for garbage only once everything is imported."""
    gc.disable()
    absent = [name for name in DISPENSABLE if name not in sys.modules]
    # `None` makes an import fail
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        gc.enable()
        # what is there now stays: it need not be looked at again
        gc.freeze()


@contextmanager
def without_the_hub() -> Iterator[None]:
    """A third of a second: to ask the hub who somebody is, the whole hub is imported.

    Meanwhile its database and pages are modules that are imported when somebody looks into
    them; a server has no such database and shows no such page. Afterwards they are gone,
    and whoever imports them gets the real ones.
    """
    standing_in = {
        name: _Later(name, known)
        for name, known in NAMED_ONLY.items()
        if name not in sys.modules
    }
    sys.modules.update(standing_in)
    try:
        yield
    finally:
        for name in standing_in:
            del sys.modules[name]


class _Later(ModuleType):
    """Stands in for a module until somebody looks into it."""

    def __init__(self, name: str, known: dict[str, type]) -> None:
        super().__init__(name)
        for what, base in known.items():
            setattr(self, what, type(what, (base,), {}))

    def __getattr__(self, what: str) -> Any:
        if what.startswith("__") or sys.modules.get(self.__name__) is self:
            # the import system asks, or it is too early: the real one cannot be there
            raise AttributeError(what)
        return getattr(importlib.import_module(self.__name__), what)


def no_yarn() -> None:
    """Half a second: JupyterLab asks Node for yarn's settings, which only a build needs.

    It is told what it is told on a machine without Node. Nothing is built inside the walls.
    """
    from jupyterlab import commands

    def nothing(logger: Any) -> dict[str, dict[str, Any]]:
        return {"yarn config": {}, "npm config": {}}

    commands._yarn_config = nothing
