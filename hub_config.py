"""JupyterHub for several companies: `kamp up` checks the machine and starts it.

    KAMP_HOME=/srv/kamp jupyterhub -f hub_config.py

Settings come from `KAMP_*` and `kamp.toml` (docs/operate.md); the reasons stand in
`kamp_lib/hub/config.py`.
"""

from traitlets.config import Config

from kamp_lib.hub import config
from kamp_lib.settings import settings


def configure(c: Config) -> None:
    """The whole hub, one concern after the other."""
    s = settings()
    config.state(c, s)
    config.network(c, s)
    config.proxy(c, s)
    config.sign_in(c, s)
    config.servers(c, s)
    config.services(c, s)
    config.pages(c, s)


if __name__ != "hub_config":  # read by JupyterHub, not imported by a test
    configure(c)  # noqa: F821 - given by JupyterHub
