"""Start a fork server before the first kernel is wanted.

For a Jupyter server, as an extension: `ServerApp.jpserver_extensions = {"kamp_lib.kernels":
True}`; for any other program: `kamp_lib.kernels.warm()`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from traitlets.log import get_logger

from kamp_lib.kernels import client
from kamp_lib.kernels.place import Unusable
from kamp_lib.kernels.provisioner import SWITCH, ForkProvisioner


def warm(
    kernel_name: str = "kamp",
    environment: Mapping[str, str] | None = None,
    **traits: Any,
) -> threading.Thread:
    """Start the fork server of a kernelspec, in a thread of its own.

    Parameters
    ----------
    kernel_name : str
    environment : mapping, default the one of this process
        What the kernels will be started with: see `environment.FROZEN`.
    **traits
        Of `ForkProvisioner`: the same as the kernels will be started with.

    Returns
    -------
    threading.Thread
        Done when the server has been started; it may still be importing then.
    """
    thread = threading.Thread(
        target=_warm,
        args=(kernel_name, environment, traits),
        name="warm-kernels",
        daemon=True,
    )
    thread.start()
    return thread


def _warm(
    kernel_name: str, environment: Mapping[str, str] | None, traits: dict[str, Any]
) -> None:
    if os.environ.get(SWITCH, "1") != "1" or client.supported() is not None:
        return
    try:
        spec = KernelSpecManager().get_kernel_spec(kernel_name)
        config = spec.metadata.get("kernel_provisioner", {}).get("config", {})
        options = ForkProvisioner(kernel_spec=spec, **(config | traits)).options()
        variables = {**(os.environ if environment is None else environment), **spec.env}
        client.warm(options, sys.executable, variables)
    except (Unusable, LookupError) as why:
        get_logger().warning("No fork server for %s: %s", kernel_name, why)


def load_extension(server: Any) -> None:
    """As an extension of a Jupyter server: for the kernel that it offers first."""
    warm(server.kernel_manager.default_kernel_name)
