"""Sign-in through an OpenID Connect provider, from three settings."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from traitlets.config import Config

from kamp_lib.errors import KampError
from kamp_lib.settings import Settings
from kamp_lib.text import Text

TIMEOUT_S = 10


def configure_oidc(c: Config, s: Settings) -> None:
    """Sign in at `oidc_issuer`; its discovery document says where everything is.

    Raises
    ------
    KampError
        When the provider does not answer, or the client's id and secret are missing.
    """
    from kamp_lib.hub.authenticator import KampOIDC

    if not s.oidc_client_id or s.oidc_client_secret is None:
        raise KampError(
            "OIDC 로그인에는 KAMP_OIDC_CLIENT_ID와 KAMP_OIDC_CLIENT_SECRET이 필요합니다.",
            "sign-in through OIDC needs KAMP_OIDC_CLIENT_ID and KAMP_OIDC_CLIENT_SECRET.",
        )
    found = discover(str(s.oidc_issuer))
    c.JupyterHub.authenticator_class = KampOIDC
    c.KampOIDC.client_id = s.oidc_client_id
    c.KampOIDC.client_secret = s.oidc_client_secret.get_secret_value()
    c.KampOIDC.authorize_url = found["authorization_endpoint"]
    c.KampOIDC.token_url = found["token_endpoint"]
    c.KampOIDC.userdata_url = found["userinfo_endpoint"]
    c.KampOIDC.oauth_callback_url = f"{s.hub_url.rstrip('/')}/hub/oauth_callback"
    c.KampOIDC.username_claim = s.oidc_name_claim
    c.KampOIDC.scope = ["openid", "profile", "email"]
    c.KampOIDC.login_service = str(Text("회사 계정", "your company account"))


def discover(issuer: str) -> dict[str, Any]:
    """The provider's discovery document.

    Raises
    ------
    KampError
        When there is none.
    """
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        if not url.startswith(("https://", "http://")):
            raise ValueError("not a web address")
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310
            document: dict[str, Any] = json.loads(answer.read(1_000_000))
    except (OSError, ValueError) as error:
        raise KampError(
            f"OIDC 제공자가 응답하지 않습니다: {url} ({error}). KAMP_OIDC_ISSUER를 확인하세요.",
            f"the OIDC provider does not answer: {url} ({error}); check KAMP_OIDC_ISSUER.",
        ) from error
    return document
