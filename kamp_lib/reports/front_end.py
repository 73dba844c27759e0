"""The scripts of a page: ours, which is small, and Voilà's, for what ours does not know.

Voilà's front end can show any widget and is two megabytes of scripts: most of a second of
a browser's time before it draws anything. Our pages are made of eight kinds of widgets,
which `static/page.js` draws by itself. Every address holds a stamp of what is served, so
that a browser may keep it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join

FOLDER = Path(__file__).parent / "static"
SCRIPT = "page.js"
# Of ipywidgets, as `static/page.js` knows them.
KNOWN = frozenset(
    "BoxModel VBoxModel HTMLModel ButtonModel ToggleButtonsModel FloatSliderModel"  # noqa: SIM905
    " IntSliderModel BoundedFloatTextModel".split()
)
# Their looks, of which a page's own style sheet is the master.
LOOKS = ("LayoutModel", "StyleModel")
PACKAGES = ("voila", "ipywidgets", "jupyterlab_widgets")


class FrontEnd:
    """Where a page finds its scripts.

    Parameters
    ----------
    base_url : str
    page_config : dict
        Voilà's own; its addresses are replaced.
    """

    def __init__(self, base_url: str, page_config: Mapping[str, Any]) -> None:
        versions = " ".join(f"{name} {version(name)}" for name in PACKAGES)
        served = (FOLDER / SCRIPT).read_bytes() + versions.encode()
        self.stamp = hashlib.sha256(served).hexdigest()[:12]
        self.script = url_path_join(base_url, "kamp", "scripts", self.stamp, SCRIPT)
        root = url_path_join(base_url, "voila")
        statics = url_path_join(root, "static", self.stamp)
        self.voila_script = url_path_join(statics, "voila.js")
        self._page_config = {
            **page_config,
            "fullStaticUrl": statics,
            "fullLabextensionsUrl": url_path_join(root, "labextensions", self.stamp),
        }

    def knows(self, state: Mapping[str, Any]) -> bool:
        """Whether our script can show widgets with this state."""
        kinds = {model["model_name"] for model in state.values()}
        return all(kind in KNOWN or kind.endswith(LOOKS) for kind in kinds)

    def page_config(self, kernel_id: str) -> dict[str, Any]:
        """What Voilà's front end reads from the page."""
        return {**self._page_config, "kernelId": kernel_id}
