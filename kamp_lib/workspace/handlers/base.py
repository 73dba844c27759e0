"""What all our addresses have in common: the person, the language, plain errors."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from kamp_lib.errors import KampError
from kamp_lib.reports import numbers
from kamp_lib.reports.words import Words
from kamp_lib.text import Language, Text, language
from kamp_lib.workspace.desk import Desk
from kamp_lib.workspace.flags import Spoken
from kamp_lib.workspace.uploads import said_size
from kamp_lib.workspace.words import words

TEMPLATES = Path(__file__).parents[1] / "templates"
# A fragment opened by itself, or a page of ours, can run nothing and reach nothing.
ALONE = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " font-src data: 'self'; frame-ancestors 'none'"
)
LONGEST_BODY = 8 << 20  # the corrected columns of a very wide file
DESK = "kamp_desk"  # in the settings of the web application


@cache
def templates() -> Environment:
    """The templates, escaping everything; names come from a company's files."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Handler(JupyterHandler):
    """One address: authenticated and authorised by jupyter_server, checked for XSRF."""

    auth_resource = "kamp"

    @property
    def desk(self) -> Desk:
        """The company, its uploads and its jobs."""
        found: Desk = self.settings[DESK]
        return found

    @property
    def lang(self) -> Language:
        """The language that the page asks for, else that of the workspace."""
        asked = self.get_query_argument("lang", "")
        return "en" if asked == "en" else "ko" if asked == "ko" else language()

    @property
    def words(self) -> Words:
        return words(self.lang)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", ALONE)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")

    def get_login_url(self) -> str:
        """Who is not signed in is told so: the page could do nothing with a redirect."""
        if not self.current_user:
            raise web.HTTPError(403)
        return str(super().get_login_url())

    def told(self) -> dict[str, Any]:
        """The JSON object in the body.

        Raises
        ------
        HTTPError
            400 for anything else.
        """
        if len(self.request.body) > LONGEST_BODY:
            raise web.HTTPError(413)
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise web.HTTPError(400, "not JSON") from error
        if not isinstance(body, dict):
            raise web.HTTPError(400, "not a JSON object")
        return body

    def draw(self, template: str, **values: Any) -> str:
        """A template with what every one may use."""
        return (
            templates()
            .get_template(template)
            .render(
                t=self.words,
                say=Spoken(self.words),
                n=numbers,
                size=said_size,
                lang=self.lang,
                base=self.base_url + "kamp/",
                tenant=self.desk.tenant,
                **values,
            )
        )

    async def fragment(self, template: str, **values: Any) -> None:
        """Answer with a piece of the page."""
        html = await asyncio.to_thread(self.draw, template, **values)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(html)

    def answer(self, **said: Any) -> None:
        """Answer with a small JSON object."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(said))

    def write_error(self, status_code: int, **more: Any) -> None:
        """One sentence for the person; details are in the log."""
        _, error, _ = more.get("exc_info", (None, None, None))
        said = (
            error.text if isinstance(error, KampError) else _SENTENCES.get(status_code)
        )
        if isinstance(error, KampError):
            self.set_status(400)
        elif isinstance(error, OSError):
            said = _disk_sentence(error)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": self.words.of(said or _UNEXPECTED)}))

    def log_exception(self, *exc_info: Any) -> None:
        """An error with a sentence for the person is no news for the log."""
        if not isinstance(exc_info[1], KampError):
            super().log_exception(*exc_info)


_UNEXPECTED = Text(
    "예상하지 못한 오류입니다. 화면을 새로 고치고 다시 해 보세요.",
    "unexpected error; reload the page and try again.",
)
_SENTENCES = {
    400: Text("요청을 읽을 수 없습니다.", "the request cannot be read."),
    403: Text(
        "권한이 없습니다. 화면을 새로 고치거나 다시 로그인하세요.",
        "not allowed; reload the page or sign in again.",
    ),
    404: Text("없는 주소입니다.", "there is nothing at this address."),
    405: Text("할 수 없는 요청입니다.", "this cannot be done here."),
    413: Text("보낸 것이 너무 큽니다.", "what was sent is too large."),
}


def _disk_sentence(error: OSError) -> Text:
    said = error.strerror or type(error).__name__
    return Text(
        f"작업공간 디스크에 쓰지 못했습니다({said}). 공간을 비우고 다시 하세요.",
        f"the disk of the workspace could not be written ({said}); free some space"
        " and try again.",
    )
