"""The OAuth clients of servers: names that cannot be confused, and whom one need not ask about."""

from __future__ import annotations

from kamp_lib.hub.roles import REPORT


def client_id(slug: str, server: str) -> str:
    """The id under which a server asks the hub who its visitors are.

    JupyterHub joins user and server with `-`, which both may hold: server `b-c` of `a`
    and server `c` of `a-b` would share one client and its secret. Neither holds a dot.
    """
    return f"kamp-server.{slug}.{server}"


class KnownClients(set[str]):
    """Clients to which a visitor's name is passed on without asking.

    These are the portal and the report servers: programs of the platform that let nobody
    else's code near the token. A workspace runs its company's code, so people are asked.
    """

    def __contains__(self, client: object) -> bool:
        return super().__contains__(client) or (
            isinstance(client, str)
            and client.startswith("kamp-server.")
            and client.endswith(f".{REPORT}")
        )
