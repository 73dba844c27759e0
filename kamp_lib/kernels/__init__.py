"""Fast kernels: a fork server behind Jupyter's own kernel-provisioner API.

A notebook's kernel spends its first seconds importing the same libraries as every other.
Here one process imports them once and forks itself for each kernel. JupyterLab, nbclient,
Papermill and Voilà need no change: the kernelspec `kamp` names the provisioner
`kamp-fork`, and what cannot be forked starts as it always did.

This package uses nothing else of `kamp_lib`. See docs/kernels.md.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kamp_lib.kernels.client import let_go
    from kamp_lib.kernels.managers import QuickClient, forked, use_quick_client
    from kamp_lib.kernels.provisioner import ForkProvisioner
    from kamp_lib.kernels.warming import warm

__all__ = [
    "ForkProvisioner",
    "QuickClient",
    "forked",
    "jupyter_path",
    "let_go",
    "use_quick_client",
    "warm",
]

# the fork server imports this package too, and has no use for these
_LATER = {
    "ForkProvisioner": "provisioner",
    "QuickClient": "managers",
    "forked": "managers",
    "let_go": "client",
    "use_quick_client": "managers",
    "warm": "warming",
}


def jupyter_path() -> Path:
    """The folder for `JUPYTER_PATH`, in which the kernelspec `kamp` is found."""
    return Path(__file__).parent / "share" / "jupyter"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "kamp_lib.kernels"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from kamp_lib.kernels.warming import load_extension

    load_extension(server)


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
