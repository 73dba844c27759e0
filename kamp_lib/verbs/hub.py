"""The hub: `doctor` looks at the machine, `up` starts the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from kamp_lib import console
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json

app = typer.Typer()


@app.command(
    help=_(
        "이 컴퓨터가 허브를 돌릴 준비가 되었는지 살펴봅니다.",
        "See whether this machine is ready for the hub.",
    ),
    epilog=example("kamp doctor", "kamp doctor --json"),
)
def doctor(as_json: Json = False) -> None:
    from kamp_lib.hub.doctor import examine

    found = examine()
    if as_json:
        print_json(
            [
                {
                    "name": f.name,
                    "ok": f.ok,
                    "needed": f.needed,
                    "message_ko": f.text.ko,
                    "message_en": f.text.en,
                    "mend": f.mend if not f.ok else "",
                }
                for f in found
            ]
        )
    else:
        console.table(
            [
                Text("", ""),
                Text("살펴본 것", "looked at"),
                Text("고치는 법", "how to mend"),
            ],
            [
                [
                    "✓" if f.ok else "✗" if f.needed else "!",
                    f.text,
                    "" if f.ok else f.mend,
                ]
                for f in found
            ],
        )
    if any(f.needed and not f.ok for f in found):
        raise typer.Exit(1)


@app.command(
    help=_(
        "허브를 시작합니다: 기업마다 작업공간과 보고서 서버.",
        "Start the hub: workspaces and report servers for every company.",
    ),
    epilog=example("kamp up", "KAMP_HUB_URL=https://kamp.example.com kamp up"),
)
def up(
    unsafe_no_walls: Annotated[
        bool,
        typer.Option(
            "--unsafe-no-walls",
            help=_(
                "벽(bubblewrap) 없이 시작합니다. 모의 데이터에만 쓰세요.",
                "Start without walls (bubblewrap); for simulated data only.",
            ),
        ),
    ] = False,
) -> None:
    from kamp_lib.hub.up import up as start

    raise typer.Exit(start(without_walls=unsafe_no_walls))
