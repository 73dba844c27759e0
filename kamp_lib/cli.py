"""The `kamp` command: thin verbs over the rooms of the house.

Exit status: 0 done, 1 it failed (one clear sentence on stderr), 2 wrong usage.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from kamp_lib.console import complain
from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.text import Text

INTERRUPTED = 130


def _app() -> Callable[[], None]:
    """Put the verbs together; their help speaks the language that is set by now."""
    import typer

    from kamp_lib.verbs import (  # noqa: F401 - leaving, rows and versions add verbs to others
        analysis,
        batch,
        catalogue,
        datasets,
        demo,
        hub,
        ingest,
        leaving,
        platform,
        publishing,
        rows,
        schedule,
        setup,
        tenants,
        users,
        versions,
    )

    app = typer.Typer(
        name="kamp",
        help=_(
            "KAMP 워크벤치: 설비 파일을 넣으면 의사결정 페이지가 나옵니다.",
            "KAMP Workbench: a machine's file in, a decision page out.",
        ),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.add_typer(setup.app)
    app.add_typer(tenants.tenants, name="tenant")
    app.add_typer(users.users, name="user")
    app.add_typer(platform.db, name="db")
    app.add_typer(platform.app)
    app.add_typer(catalogue.models, name="models")
    app.add_typer(ingest.app)
    app.add_typer(datasets.datasets, name="datasets")
    app.add_typer(analysis.app)
    app.add_typer(batch.batches, name="batch")
    app.add_typer(schedule.schedules, name="schedule")
    app.add_typer(publishing.app)
    app.add_typer(hub.app)
    app.add_typer(demo.app)
    command = typer.main.get_command(app)
    _explain_help(command, None)
    return command


def _explain_help(command: Any, parent: Any) -> None:
    """What --help does, in the reader's language, for every command."""
    context = command.context_class(command, parent=parent, **command.context_settings)
    option = command.get_help_option(context)
    if option is not None:
        option.help = _("도움말을 보여 줍니다.", "Show this message and exit.")
    for verb in getattr(command, "commands", {}).values():
        _explain_help(verb, context)


def _(ko: str, en: str) -> str:
    return str(Text(ko, en))


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command; every failure becomes one sentence and an exit status."""
    # a polite kill, or a terminal that is closed, leaves things as Ctrl-C does
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    if not os.environ.get("KAMP_DEBUG"):
        # after Ctrl-C, what a kernel's abandoned tasks say is no news to anyone
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a name that the terminal cannot show is no reason to stop
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        os.environ.setdefault("KAMP_LANG", settings().lang)
        _app()()
    except KampError as error:
        complain(str(error))
        sys.exit(error.exit_status)
    except KeyboardInterrupt:  # before typer was there to answer it
        _stopped()
    except SystemExit as stop:
        # typer's own answer to Ctrl-C
        if stop.code != INTERRUPTED:
            raise
        _stopped()
    except BrokenPipeError:
        # the reader (`| head`) has gone; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        complain(
            _(
                "메모리가 모자라 멈췄습니다. 저장된 것은 바뀌지 않았습니다."
                " 다른 프로그램을 닫거나 파일을 나누어 가져오세요.",
                "out of memory; what was stored has not changed."
                " Close other programs, or ingest the file in parts.",
            )
        )
        sys.exit(1)
    except OSError as error:
        if os.environ.get("KAMP_DEBUG"):
            raise
        complain(_os_sentence(error))
        sys.exit(1)
    except Exception as error:
        if os.environ.get("KAMP_DEBUG"):
            raise
        complain(
            _(
                f"예상하지 못한 오류입니다: {type(error).__name__}: {error}"
                " (자세히 보려면 KAMP_DEBUG=1)",
                f"unexpected error: {type(error).__name__}: {error}"
                " (KAMP_DEBUG=1 shows where)",
            )
        )
        sys.exit(1)
    finally:
        _hand_over()


def _hand_over() -> None:
    from kamp_lib.verbs.common import hand_over_opened

    hand_over_opened()


def _stopped() -> NoReturn:
    complain(
        _(
            "중단했습니다. 저장된 것은 바뀌지 않았습니다.",
            "stopped; what was stored has not changed.",
        )
    )
    sys.exit(1)


def _os_sentence(error: OSError) -> str:
    place = error.filename or ""
    if error.errno == errno.ENOSPC:
        return _(
            f"디스크에 빈 공간이 없습니다. 공간을 비우고 다시 하세요. {place}",
            f"the disk is full; free some space and try again. {place}",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _(f"권한이 없습니다: {place}", f"no permission: {place}")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return _(
            f"폴더가 있어야 할 자리에 파일이 있습니다: {place}. KAMP_HOME을 확인하세요.",
            f"a file stands where a folder should be: {place}; check KAMP_HOME.",
        )
    return _(f"파일 오류: {error}", f"file error: {error}")


if __name__ == "__main__":
    main()
