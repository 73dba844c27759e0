"""What the hub answers below `/hub` beyond JupyterHub's own addresses."""

from __future__ import annotations

from kamp_lib.hub.portal import page_handlers
from kamp_lib.hub.publishing import publishing_handlers


def own_handlers() -> list[tuple[str, type]]:
    """Files of our pages, and the trusted service that releases reports.

    JupyterHub takes handlers from its authenticator; `extra_handlers` is on its way out.
    """
    return [*page_handlers(), *publishing_handlers()]
