"""How JupyterLab is started so that it opens on the start page, in the reader's language.

Nothing has to be installed into the Python environment, which may be read-only: the
command line names the folders that lie beside this file.
"""

from __future__ import annotations

from pathlib import Path

from kamp_lib.text import Language

FRONTEND = Path(__file__).parent / "frontend"
EXTENSIONS = FRONTEND / "labextensions"


def lab_arguments(language: Language) -> list[str]:
    """What is added to the command line of `jupyter lab` or `jupyterhub-singleuser`.

    Parameters
    ----------
    language : {"ko", "en"}
        Of JupyterLab itself; the start page follows it until told otherwise.
    """
    return [
        "--ServerApp.jpserver_extensions=kamp_lib.workspace=True",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
        f"--LabApp.app_settings_dir={FRONTEND / 'settings' / language}",
        # nothing is installed or switched off from inside a workspace, nobody is called
        "--LabApp.extension_manager=readonly",
        "--LabApp.lock_all_plugins=True",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]


def lab_environment(language: Language) -> dict[str, str]:
    """What is added to the environment of that process."""
    return {"KAMP_LANG": language}
