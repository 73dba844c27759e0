"""The sign-in form and the change of one's password, in the reader's words."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httputil import url_concat

from kamp_lib.errors import KampError
from kamp_lib.hub.portal.language import language_of
from kamp_lib.text import Text, choose_language

# What JupyterHub says, in words for people.
SAID = {
    "Invalid username or password": Text(
        "이름 또는 비밀번호가 맞지 않습니다.", "The name or the password is wrong."
    ),
    "Login form invalid or expired. Try again.": Text(
        "로그인 화면이 오래되었습니다. 다시 입력하세요.",
        "This sign-in form has expired; please try again.",
    ),
}


class PasswordChangeNeeded(web.HTTPError):
    """The password is right, but was given by somebody else and has to be replaced."""

    def __init__(self, name: str) -> None:
        super().__init__(403, "the first password has to be changed")
        self.name = name


class InReadersWords(BaseHandler):
    """Says what it says in the language that this browser has chosen."""

    async def prepare(self) -> None:
        # holds for this request only: each is a task with a context of its own
        choose_language(language_of(self))
        await super().prepare()


class KampLoginHandler(InReadersWords, LoginHandler):
    """JupyterHub's sign-in, which leads a first sign-in to the change of password."""

    async def post(self) -> None:
        try:
            await super().post()
        except PasswordChangeNeeded as need:
            where = url_path_join(self.hub.base_url, "password")
            asked = {"name": need.name, "next": self.get_argument("next", "")}
            self.redirect(url_concat(where, asked))

    def _render(
        self, login_error: str | None = None, username: str | None = None, **ns: Any
    ) -> Any:
        said = SAID.get(login_error or "")
        shown = str(said) if said else login_error
        return super()._render(login_error=shown, username=username, **ns)


class PasswordHandler(InReadersWords):
    """Replace one's password: after the first sign-in, or whenever one wants."""

    async def get(self) -> None:
        known = self.current_user
        name = known.name if known else self.get_argument("name", "")
        await self._show(name)

    async def post(self) -> None:
        name = self.get_body_argument("name", "")
        old, new = (
            self.get_body_argument(part, "", strip=False) for part in ("old", "new")
        )
        if new != self.get_body_argument("again", "", strip=False):
            await self._show(
                name,
                Text(
                    "새 비밀번호 두 개가 서로 다릅니다.",
                    "the two new passwords differ.",
                ),
            )
            return
        try:
            await asyncio.to_thread(
                self.authenticator.registry.change_password, name, old, new
            )
        except KampError as error:
            await self._show(name, error.text)
            return
        user = await self.login_user({"username": name, "password": new})
        if user is None:
            raise web.HTTPError(403)
        self._jupyterhub_user = user
        self.redirect(self.get_next_url(user))

    async def _show(self, name: str, error: Text | None = None) -> None:
        if error is not None:
            self.set_status(400)
        html = await self.render_template(
            "password.html",
            person=name,
            error=str(error) if error else None,
            next=self.get_argument("next", ""),
            xsrf=self.xsrf_token.decode("ascii"),
        )
        self.finish(html)


def sign_in_handlers() -> list[tuple[str, type]]:
    """Addresses below `/hub`; ours come before JupyterHub's own of the same name."""
    return [(r"/login", KampLoginHandler), (r"/password", PasswordHandler)]
