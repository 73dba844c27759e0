"""The demo: four invented companies and their people on a hub of their own.

Everything is the real thing, from the machine's file to the page that a manager opens;
only the data are simulated, and say so on every page.
"""

from __future__ import annotations

import os
from pathlib import Path

from kamp_lib import console
from kamp_lib.demo.build import build_demo, is_built
from kamp_lib.demo.people import let_in, show
from kamp_lib.errors import KampError


def demo(
    home: Path,
    *,
    serve: bool = True,
    fresh: bool = False,
    port: int | None = None,
    size: str = "demo",
    seed: int = 0,
) -> None:
    """Build the demo unless it is there, and serve it on a hub until Ctrl-C.

    Parameters
    ----------
    serve
        When False, start the hub, go the way of a manager and of an analyst once, and stop.
    fresh
        Build anew what is there already; what people did in it is lost.
    port
        Of the hub; 8000 or, when that is taken, any free one.

    Raises
    ------
    KampError
        When `home` holds other files, or something on the way fails.
    """
    from kamp_lib.demo.hub import demo_hub, way_of_the_people

    home = home.expanduser().resolve()
    # from here on this process and its children work in the demo's own folder
    os.environ["KAMP_HOME"] = str(home)
    os.environ.pop("KAMP_DATABASE", None)
    if fresh or not is_built(home):
        build_demo(home, size=size, seed=seed)
    else:
        console.say(
            f"이미 만들어진 데모를 엽니다: {home} (새로 만들기: kamp demo --fresh)",
            f"opening the demo that is there: {home} (build anew: kamp demo --fresh)",
        )
    accounts = let_in(home)
    with demo_hub(home, port) as hub:
        if not serve:
            way_of_the_people(hub, accounts)
            return
        show(accounts, hub.url)
        if hub.wait() != 0:
            raise KampError(
                f"허브가 멈췄습니다. 이유: {hub.log}",
                f"the hub stopped; {hub.log} says why",
            )


__all__ = ["build_demo", "demo", "is_built"]
