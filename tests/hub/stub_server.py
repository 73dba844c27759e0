"""A server of a company for tests: asks the hub who comes in, says what was opened."""

import asyncio
import os
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado import web

PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]


class Opened(HubOAuthenticated, web.RequestHandler):
    @web.authenticated
    def get(self, path: str) -> None:
        self.write(f"opened {path or '/'} for {self.current_user['name']}")


class Health(web.RequestHandler):
    def get(self) -> None:
        self.write("{}")


async def main() -> None:
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    app = web.Application(
        [
            (PREFIX + "oauth_callback", HubOAuthCallbackHandler),
            (PREFIX + "api", Health),
            (PREFIX + "(.*)", Opened),
        ],
        cookie_secret=os.urandom(32),
    )
    app.listen(address.port, address.hostname)
    await asyncio.Event().wait()


asyncio.run(main())
