"""Taking a company's folder away: out of sight in one step, then deleted."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from kamp_lib.errors import KampError


def move_away(folder: Path) -> None:
    """Give the folder a name under which nobody finds it; nothing happens without one.

    Killed after this, the next `sweep` finds it by that name.
    """
    if os.path.lexists(folder):
        folder.rename(folder.with_name(f"{_mark(folder.name)}{secrets.token_hex(4)}"))


def sweep(tenants: Path, slug: str) -> None:
    """Delete what `move_away` put aside; no link is followed.

    Raises
    ------
    KampError
        When something cannot be deleted; the same call again goes on from there.
    """
    for left in remains(tenants, slug):
        try:
            if left.is_symlink() or not left.is_dir():
                left.unlink()
            else:
                shutil.rmtree(left)
        except OSError as error:
            raise KampError(
                f"폴더를 다 지우지 못했습니다: {left} ({error.strerror})."
                f" 다시 하세요: kamp tenant remove {slug}",
                f"could not delete all of {left} ({error.strerror});"
                f" do it again: kamp tenant remove {slug}",
            ) from error


def remains(tenants: Path, slug: str) -> list[Path]:
    """What an earlier removal left to be deleted."""
    if not tenants.is_dir():
        return []
    mark = _mark(slug)
    return sorted(path for path in tenants.iterdir() if path.name.startswith(mark))


def _mark(slug: str) -> str:
    # no slug has a dot, so no company is taken for the remains of another
    return f".removed.{slug}."
