"""The demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kamp_lib.verbs.common import _, example

app = typer.Typer()


@app.command(
    help=_(
        "데모: 네 기업의 모의 데이터로 처음부터 끝까지 실행하고 허브를 엽니다.",
        "The demo: four companies with simulated data, from file to page, on a hub.",
    ),
    epilog=example("kamp demo", "kamp demo --no-serve", "kamp demo --fresh"),
)
def demo(
    home: Annotated[
        Path, typer.Option(help=_("데모 폴더", "folder of the demo"))
    ] = Path(".kamp-demo"),
    serve: Annotated[
        bool,
        typer.Option(
            help=_(
                "끝나면 허브를 엽니다(아니면 한 번 확인하고 멈춥니다)",
                "serve the hub at the end (otherwise check it once and stop)",
            )
        ),
    ] = True,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help=_("있는 데모를 지우고 새로 만듭니다", "build anew")
        ),
    ] = False,
    port: Annotated[
        int | None, typer.Option(help=_("포트(비우면 8000)", "port (8000)"))
    ] = None,
    size: Annotated[
        str,
        typer.Option(
            help=_("데이터 크기: demo 또는 fast", "size of the data: demo or fast")
        ),
    ] = "demo",
    seed: Annotated[int, typer.Option(help=_("난수 씨앗", "random seed"))] = 0,
) -> None:
    from kamp_lib.demo import demo as run_demo

    run_demo(home, serve=serve, fresh=fresh, port=port, size=size, seed=seed)
