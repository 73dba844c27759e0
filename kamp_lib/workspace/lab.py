"""How JupyterLab is started so that it opens on the start page, in the reader's language.

Nothing has to be installed into the Python environment, which may be read-only: the
command line names the folders that lie beside this file.
"""

from __future__ import annotations

from pathlib import Path

from kamp_lib.kernels import provisioner
from kamp_lib.settings import settings
from kamp_lib.text import Language
from kamp_lib.workspace.names import safe_path

FRONTEND = Path(__file__).parent / "frontend"
NEVER = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
CHECKPOINTS = "kamp_lib.workspace.checkpoints.ApartCheckpoints"
EXTENSIONS = FRONTEND / "labextensions"
NOT_LOADED = (
    # serves pictures of the workspace to anybody, signed in or not
    "voila.server_extension",
    # looks for twenty language servers, of which none is installed, at every start
    "jupyter_lsp",
    # reads the settings of a notebook server of before JupyterLab
    "notebook_shim",
)
# Kernels of people: the fork server begins with the first of them, with next to nothing,
# imports the rest at leisure and ends when it was idle for long, so that a workspace in
# which nobody computes holds no more than before. numba is large and seldom wanted.
KERNELS = (
    "KernelProvisionerFactory.default_provisioner_name=kamp-fork",
    "ForkProvisioner.idle_s=300",
    "ForkProvisioner.imports=ipywidgets",
    *(
        f"ForkProvisioner.later={name}"
        for name in (*provisioner.IMPORTS, "kamp_lib.workbench", "kamp_lib.runs")
        if name not in ("ipywidgets", "numba")
    ),
)


def lab_arguments(language: Language) -> list[str]:
    """What is added to the command line of `jupyter lab` or `jupyterhub-singleuser`.

    Parameters
    ----------
    language : {"ko", "en"}
        Of JupyterLab itself; the start page follows it until told otherwise.
    """
    return [
        "--ServerApp.jpserver_extensions=kamp_lib.workspace=True",
        *(f"--ServerApp.jpserver_extensions={name}=False" for name in NOT_LOADED),
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
        f"--LabApp.app_settings_dir={FRONTEND / 'settings' / language}",
        # nothing is installed or switched off from inside a workspace, nobody is called
        "--LabApp.extension_manager=readonly",
        "--LabApp.lock_all_plugins=True",
        f"--LabApp.check_for_updates_class={NEVER}",
        f"--ContentsManager.checkpoints_class={CHECKPOINTS}",
        *(f"--{kernels}" for kernels in KERNELS if settings().fast_kernels),
    ]


def lab_environment(
    language: Language, *, person: str | None = None, home: str = "/workspace"
) -> dict[str, str]:
    """What is added to the environment of that process.

    Parameters
    ----------
    language : {"ko", "en"}
        Of the start page and of the commands in a terminal.
    person : str, optional
        Who works there: data sets and runs say so, and JupyterLab's settings and layout
        are kept for them beside the data, since a home folder in memory forgets them.
    home : str, default "/workspace"
        The company's folder as that process sees it.
    """
    told: dict[str, str] = {"KAMP_LANG": language}
    if person is not None:
        own = f"{home}/data/.lab/{safe_path(person).name}"
        told["KAMP_PERSON"] = person
        told["JUPYTERLAB_SETTINGS_DIR"] = f"{own}/settings"
        told["JUPYTERLAB_WORKSPACES_DIR"] = f"{own}/layouts"
    return told
