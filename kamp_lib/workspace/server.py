"""Starts a workspace's JupyterLab: `python -m kamp_lib.workspace.server`.

The hub starts it inside the walls. It is `jupyterhub-singleuser` with the same command
line, without what makes people wait for it (`lean`).
"""

from __future__ import annotations

from kamp_lib.workspace.lean import hurrying, no_yarn, without_the_hub


def main() -> None:
    """Serve until the hub ends it."""
    with hurrying():
        with without_the_hub():
            from jupyterhub.singleuser import extension  # noqa: F401

        no_yarn()
        # found by their names, later: here they are imported without looking for garbage
        from jupyterlab import labapp  # noqa: F401

        from kamp_lib.workspace import extension as ours  # noqa: F401
    serve()


def serve() -> None:
    """What `jupyterhub-singleuser` does."""
    from jupyterhub.singleuser.extension import JupyterHubSingleUser

    JupyterHubSingleUser.launch_instance()


if __name__ == "__main__":
    main()
