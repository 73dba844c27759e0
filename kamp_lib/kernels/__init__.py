"""Fast kernels: a fork server behind Jupyter's own kernel-provisioner API.

A notebook's kernel spends its first seconds importing the same libraries as every other.
Here one process imports them once and forks itself for each kernel. JupyterLab, nbclient,
Papermill and Voilà need no change: the kernelspec `kamp` names the provisioner
`kamp-fork`, and what cannot be forked starts as it always did.

This package uses nothing else of `kamp_lib`. See docs/kernels.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kamp_lib.kernels.provisioner import ForkProvisioner

__all__ = ["ForkProvisioner", "jupyter_path"]


def jupyter_path() -> Path:
    """The folder for `JUPYTER_PATH`, in which the kernelspec `kamp` is found."""
    return Path(__file__).parent / "share" / "jupyter"


def __getattr__(name: str) -> Any:
    # the fork server imports this package too, and has no use for a provisioner
    if name == "ForkProvisioner":
        from kamp_lib.kernels.provisioner import ForkProvisioner

        return ForkProvisioner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
