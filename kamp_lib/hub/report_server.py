"""Starts the report server of one company: `python -m kamp_lib.hub.report_server`.

The hub starts it inside the walls. What it is stands in `report_app.py`.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys

from kamp_lib.errors import KampError
from kamp_lib.reports.forking import warm_up
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, tenant_at
from kamp_lib.workspace.lean import hurrying, without_the_hub

PR_SET_DUMPABLE = 4


def main(argv: list[str] | None = None) -> None:
    """Serve until the hub ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    # by the name that Jupyter's servers know it by, too: the spawner starts both kinds
    names = ("--sock", "--ServerApp.sock")
    told = "unix socket to listen on; without it, the port that the hub gave"
    parser.add_argument(*names, dest="sock", default="", help=told)
    asked = parser.parse_args(argv)
    close_memory()
    try:
        tenant = company()
        # the libraries of pages are imported beside those of this server
        warm_up()
        with hurrying():
            with without_the_hub():
                from jupyterhub.singleuser import extension  # noqa: F401
            from kamp_lib.hub.report_app import HubReportServer

        published = {tenant.slug: tenant.published}
        server = HubReportServer(published=published, sock=asked.sock)
        server.initialize([])
        server.start()
    except KampError as error:
        sys.exit(str(error))


def company() -> Tenant:
    """The one company whose reports these are: of the folder and of the hub alike."""
    home = settings().tenant_home
    if home is None:
        raise KampError(
            "KAMP_TENANT_HOME이 없어 보고서 서버를 시작할 수 없습니다. 이 서버는 허브가 시작합니다.",
            "a report server needs KAMP_TENANT_HOME; it is started by the hub.",
        )
    tenant = tenant_at(home)
    user = os.environ.get("JUPYTERHUB_USER")
    if user != tenant.slug:
        raise KampError(
            f"허브의 기업 '{user}'와 폴더의 기업 '{tenant.slug}'가 다릅니다.",
            f"the hub says {user!r}, the folder belongs to {tenant.slug!r}.",
        )
    return tenant


def close_memory() -> None:
    """No process of the same user may read this one's memory or first environment.

    Tokens of readers pass through here; the kernels beside it have no business with them.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    main()
