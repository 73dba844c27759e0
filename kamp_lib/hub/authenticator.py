"""Who gets in, and with which rights: our own registry behind JupyterHub's sign-in.

`RegistryRoles` is the part that every way of signing in shares: rights come from the
registry alone, are read again every few seconds, and end when the registry ends them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.auth import Authenticator
from oauthenticator.generic import GenericOAuthenticator
from tornado import web

from kamp_lib.hub.handlers import own_handlers
from kamp_lib.hub.roles import EVERYBODY, managed_role
from kamp_lib.hub.sign_in import PasswordChangeNeeded, sign_in_handlers
from kamp_lib.tenancy import Access, Registry, open_registry
from kamp_lib.text import Text

# A removal has to bite within a minute: this, and the cache of a report server.
REFRESH_S = 15
NOT_KNOWN = Text(
    "이 계정은 등록되어 있지 않습니다. 운영자에게 문의하세요.",
    "this account is not registered; ask the operator.",
)


class RegistryRoles(Authenticator):
    """Rights from the registry, for whichever way a person proves who they are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # the registry is the list of who may come in; companies cannot sign in at all
        self.allow_all = True
        self.manage_roles = True
        self.reset_managed_roles_on_startup = True
        self.auth_refresh_age = REFRESH_S
        self.auth_refresh_strict = True
        self.refresh_pre_spawn = True
        self._registry: Registry | None = None

    @property
    def registry(self) -> Registry:
        if self._registry is None:
            self._registry = open_registry()
        return self._registry

    async def load_managed_roles(self) -> list[dict[str, Any]]:
        """The rights of everybody, once at the hub's start."""
        everybody = [self.registry.access(p.name) for p in self.registry.people()]
        found = (managed_role(access) for access in everybody if access)
        return [role for role in found if role]

    async def refresh_user(
        self, user: Any, handler: Any = None
    ) -> bool | dict[str, Any]:
        """The rights of one hub user as they stand now; a removed person is out."""
        access = await asyncio.to_thread(self.registry.access, user.name)
        if access is not None:
            # a password that was reset ends the sessions that began with the old one
            return not access.person.must_change and self._model(access, handler)
        # a company: its servers ask for themselves, nobody signs in as it
        return await asyncio.to_thread(self._is_active_company, user.name)

    def _is_active_company(self, name: str) -> bool:
        return any(
            s.slug == name and s.status == "active" for s in self.registry.smes()
        )

    def _model(self, access: Access, handler: Any = None) -> dict[str, Any]:
        """What JupyterHub is told about a person."""
        if handler is not None:
            for slug in access.roles:
                # a scope on a server of a hub user that is not there yet can start nothing
                handler.user_from_username(slug)
        role = managed_role(access)
        roles = [EVERYBODY, *([role] if role else [])]
        # the list of members belongs to the start of the hub only
        return {
            "name": access.person.name,
            "roles": [{k: v for k, v in r.items() if k != "users"} for r in roles],
        }


class KampAuthenticator(RegistryRoles):
    """Name and password of the registry."""

    async def authenticate(
        self, handler: Any, data: dict[str, str]
    ) -> dict[str, Any] | None:
        name, password = data.get("username", ""), data.get("password", "")
        answer = await asyncio.to_thread(self.registry.sign_in, name, password)
        if answer.status == "locked":
            raise web.HTTPError(403, str(_locked(answer.until)))
        if answer.status == "must-change":
            raise PasswordChangeNeeded(name)
        if answer.status != "ok":
            return None
        access = self.registry.access(name)
        return self._model(access, handler) if access else None

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        return [*sign_in_handlers(), *own_handlers()]


class KampOIDC(RegistryRoles, GenericOAuthenticator):
    """An OpenID Connect provider says who it is; the registry says what they may do."""

    async def authenticate(
        self, handler: Any, data: dict[str, str] | None = None, **kwargs: Any
    ) -> dict[str, Any] | None:
        model = await GenericOAuthenticator.authenticate(self, handler, data, **kwargs)
        if not model:
            return None
        access = await asyncio.to_thread(self.registry.access, model["name"])
        if access is None:
            raise web.HTTPError(403, str(NOT_KNOWN))
        return {**model, **self._model(access, handler)}

    async def refresh_user(
        self, user: Any, handler: Any = None, **_: Any
    ) -> bool | dict[str, Any]:
        # not the provider's refresh: rights are the registry's
        return await RegistryRoles.refresh_user(self, user, handler)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        return [*GenericOAuthenticator.get_handlers(self, app), *own_handlers()]


def _locked(until: Any) -> Text:
    from zoneinfo import ZoneInfo

    when = f"{until.astimezone(ZoneInfo('Asia/Seoul')):%H:%M}" if until else ""
    return Text(
        f"비밀번호를 여러 번 틀려 잠겼습니다. {when} 이후에 다시 하거나 운영자에게 문의하세요.",
        f"locked after several wrong passwords; try again after {when} or ask the operator.",
    )
