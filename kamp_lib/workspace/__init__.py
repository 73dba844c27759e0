"""What an analyst meets in JupyterLab: the start page, and the templates of the first day.

`lab_arguments` and `lab_environment` are all that whoever starts a JupyterLab has to add
to its command; inside, the room is a jupyter_server extension below `/kamp/` and a small
JupyterLab extension that shows what the server renders.
"""

from __future__ import annotations

from typing import Any

from kamp_lib.workspace.lab import lab_arguments, lab_environment

__all__ = ["lab_arguments", "lab_environment"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where jupyter_server finds the extension."""
    from kamp_lib.workspace.extension import Workspace

    return [{"module": "kamp_lib.workspace", "app": Workspace}]
