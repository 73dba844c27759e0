"""A browser without a screen: cookies, forms and redirects against a hub on loopback.

Names below `localhost` lead to this machine in every browser, but not in Python's
resolver; so every connection goes to loopback, whatever name it is for.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
import urllib.request
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from kamp_lib.errors import KampError

TIMEOUT_S = 60
STARTING_S = 300


class _Loopback(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)


class _LoopbackHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_Loopback, request)


class Browser:
    """Somebody's visit to the hub that listens on `port`."""

    def __init__(self, port: int) -> None:
        self._hub = f"http://kamp.localhost:{port}"
        self._port = port
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            _LoopbackHandler, urllib.request.HTTPCookieProcessor(self._cookies)
        )

    def answers(self) -> bool:
        """Whether the hub answers at all."""
        try:
            return self._ask(f"{self._hub}/hub/api/")[0] == 200
        except (URLError, OSError):
            return False

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the sign-in form."""
        page = self._ask(f"{self._hub}/hub/login")[1]
        form = {"username": name, "password": password, "_xsrf": _xsrf(page)}
        status, _, _ = self._ask(f"{self._hub}/hub/login", form)
        if status != 200 or self._ask(f"{self._hub}/hub/api/user")[0] != 200:
            raise _odd(f"{name} cannot sign in: {status}")

    def start(self, slug: str, server: str) -> None:
        """Start a server and wait until it is there."""
        status = self._start(slug, server)
        # somebody else may have asked for the same server just now: its progress tells
        if status not in (201, 202, 400, 500):
            raise _odd(f"{slug}/{server} does not start: {status}")
        deadline = time.monotonic() + STARTING_S
        where = f"{self._hub}/hub/api/users/{slug}/servers/{server}/progress"
        while time.monotonic() < deadline:
            said = self._ask(where)[1]
            if '"ready": true' in said:
                return
            if '"failed": true' in said:
                break
            time.sleep(0.5)
        raise _odd(f"{slug}/{server} did not start")

    def expect_no_start(self, slug: str, server: str) -> None:
        """A server that is none of this visitor's business is not even there."""
        status = self._start(slug, server)
        if status != 404:
            raise _odd(f"{slug}/{server} should not be there: {status}")

    def expect(self, slug: str, path: str, status: int) -> str:
        """Open a page of a company, and say yes where the hub asks for it."""
        url = f"http://{slug}.kamp.localhost:{self._port}{path}"
        seen, page, at = self._ask(url)
        if "/oauth2/authorize" in at:
            scopes = re.findall(r'name="scopes"[^>]*value="([^"]+)"', page)
            seen, page, at = self._ask(at, {"_xsrf": _xsrf(page), "scopes": scopes})
        if seen != status:
            raise _odd(f"{url} answered {seen}, not {status}")
        return page

    def _start(self, slug: str, server: str) -> int:
        token = next(
            (c.value for c in self._cookies if c.name == "_xsrf" and c.path == "/hub/"),
            "",
        )
        url = f"{self._hub}/hub/api/users/{slug}/servers/{server}?_xsrf={token}"
        return self._ask(url, {})[0]

    def _ask(
        self, url: str, form: dict[str, Any] | None = None
    ) -> tuple[int, str, str]:
        """Status, text and final address of an answer, after all redirects."""
        data = None if form is None else urlencode(form, doseq=True).encode()
        headers = {"Referer": f"{self._hub}/hub/home", "Origin": self._hub}
        if form == {}:
            data, headers["Content-Type"] = (
                json.dumps(form).encode(),
                "application/json",
            )
        request = urllib.request.Request(url, data, headers)  # noqa: S310 - loopback
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read().decode("utf-8"), answer.url
        except HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace"), error.url


def _xsrf(page: str) -> str:
    found = re.search(r'name="_xsrf"[^>]*value="([^"]+)"', page)
    return found.group(1) if found else ""


def _odd(what: str) -> KampError:
    return KampError(
        f"허브가 예상과 다르게 답했습니다: {what}",
        f"the hub did not answer as expected: {what}",
    )
