"""The landing page after sign-in, and the words and look of the hub's own pages.

The portal is a hub service (`python -m kamp_lib.hub.portal`). It shows a visitor their
reports, workspaces and companies, and starts and stops servers with the visitor's own
rights. Templates of both lie in `templates/portal`.
"""

from kamp_lib.hub.portal.addresses import portal_url
from kamp_lib.hub.portal.assets import page_handlers
from kamp_lib.hub.portal.config import VISIT, portal_roles, portal_service
from kamp_lib.hub.portal.pages import page_variables

__all__ = [
    "VISIT",
    "page_handlers",
    "page_variables",
    "portal_roles",
    "portal_service",
    "portal_url",
]
