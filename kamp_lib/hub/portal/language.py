"""Which language a browser reads: `?lang=`, else a cookie, else the platform's setting.

The cookie is shared by the hub, the portal and the companies' servers, which all lie
below one host, so that choosing a language once is enough.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from kamp_lib.settings import settings
from kamp_lib.text import LANGUAGES, Language

COOKIE = "kamp_lang"
KEPT_S = 365 * 24 * 3600


def language_of(handler: Any) -> Language:
    """The language of this request; one that was asked for is remembered."""
    known = getattr(handler, "_kamp_language", None)
    if known is not None:
        return known
    found = _asked(handler) or _kept(handler) or settings().lang
    handler._kamp_language = found
    return found


def address_in(handler: Any, lang: Language) -> str:
    """The page being shown, in another language; always a path of this host."""
    query = [
        (name, value.decode("utf-8", "replace"))
        for name, values in handler.request.query_arguments.items()
        for value in values
        if name not in ("lang", "_xsrf")
    ]
    path = "/" + handler.request.path.lstrip("/\\")
    return f"{path}?{urlencode([*query, ('lang', lang)])}"


def _asked(handler: Any) -> Language | None:
    # read as it came: what is no text must not stop an error page either
    last = handler.request.query_arguments.get("lang", [b""])[-1]
    found = _known(last.decode("ascii", "replace"))
    if found is not None:
        handler.set_cookie(
            COOKIE,
            found,
            domain=_shared_domain(handler.request.host_name),
            max_age=KEPT_S,
            httponly=True,
            samesite="Lax",
        )
    return found


def _kept(handler: Any) -> Language | None:
    return _known(handler.get_cookie(COOKIE, ""))


def _known(value: str | None) -> Language | None:
    return next((lang for lang in LANGUAGES if lang == value), None)


def _shared_domain(host: str) -> str | None:
    """The hub's host when this request came to it or below it."""
    hub = urlsplit(settings().hub_url).hostname or ""
    below = host == hub or host.endswith(f".{hub}")
    named = "." in hub and not hub.rsplit(".", 1)[-1].isdigit()
    return hub if below and named else None
