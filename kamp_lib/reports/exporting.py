"""Reports that travel: one self-contained HTML file, an Excel workbook, a PDF."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kamp_lib.errors import KampError, UsageError
from kamp_lib.reports import fonts, numbers
from kamp_lib.reports.blocks import Blocks, style, templates
from kamp_lib.reports.first_paint import page_title
from kamp_lib.runs import Bundle
from kamp_lib.settings import settings
from kamp_lib.text import Language, language

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PDF_TIMEOUT_S = 120


def export(bundle: Bundle, to: Path, lang: Language | None = None) -> Path:
    """Write the report of a bundle as `.html`, `.xlsx` or `.pdf`, by the name of `to`.

    Parameters
    ----------
    to
        The file to write; written beside and renamed, so never half.
    lang
        None for the reader's language.

    Raises
    ------
    UsageError
        For any other kind of file.
    KampError
        When the file cannot be written, or a PDF is asked for without Chromium.
    """
    to = Path(to)
    chosen = lang or language()
    kinds = {".html": _html, ".pdf": _pdf, ".xlsx": _xlsx}
    write = kinds.get(to.suffix.lower())
    if write is None:
        raise UsageError(
            f"'{to.suffix}' 파일로는 저장할 수 없습니다. .html, .xlsx, .pdf 중에서 고르세요.",
            f"cannot export to {to.suffix!r}; choose .html, .xlsx or .pdf.",
        )
    with written_whole(to) as partial:
        write(bundle, partial, chosen)
    return to


@contextmanager
def written_whole(to: Path) -> Iterator[Path]:
    """A file to write beside `to`, which takes its place when the block succeeds."""
    # its name is short, so that a long one of `to` stays possible
    partial = to.with_name(f".kamp-export-{os.getpid()}{to.suffix}")
    try:
        try:
            yield partial
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise KampError(
            f"파일을 저장하지 못했습니다: {to} ({error.strerror or error})",
            f"could not write {to} ({error.strerror or error})",
        ) from error


def document(bundle: Bundle, lang: Language) -> str:
    """The whole page as one static HTML text that needs nothing from outside."""
    blocks = Blocks(bundle, lang)
    now = datetime.now(UTC)
    zone = bundle.record.time_zone
    parts = {
        "lang": lang,
        "title": page_title(bundle, blocks.words),
        "style": style(),
        "sides": [(lang, blocks.all())],
        "notes": {lang: blocks.words("page.printed", when=numbers.when(now, zone))},
    }
    template = templates().get_template("document.html")
    # drawn once to know which glyphs the font must carry
    bare = template.render(faces="", **parts)
    return template.render(faces=fonts.embedded_faces(bare), **parts)


def _html(bundle: Bundle, to: Path, lang: Language) -> None:
    to.write_text(document(bundle, lang), encoding="utf-8")


def _xlsx(bundle: Bundle, to: Path, lang: Language) -> None:
    from kamp_lib.reports.workbook import write_workbook

    write_workbook(bundle, to, lang)


def _pdf(bundle: Bundle, to: Path, lang: Language) -> None:
    browser = find_browser()
    if browser is None:
        raise KampError(
            "PDF를 만들려면 Chromium이 필요합니다. 설치하거나 KAMP_CHROMIUM에 경로를 적어 주세요"
            " (지금은 .html로 저장할 수 있습니다).",
            "a PDF needs Chromium: install it or set KAMP_CHROMIUM to its path"
            " (.html works without).",
        )
    with tempfile.TemporaryDirectory(prefix="kamp-pdf-") as folder:
        page = Path(folder) / "page.html"
        made = Path(folder) / "page.pdf"
        # paper has nothing to click: what is folded away on a screen is printed open
        text = document(bundle, lang).replace("<details>", "<details open>")
        page.write_text(text, encoding="utf-8")
        said = _print(browser, page, made, Path(folder) / "profile")
        if not made.is_file() or not made.stat().st_size:
            raise KampError(
                f"Chromium이 PDF를 만들지 못했습니다: {said}",
                f"Chromium made no PDF: {said}",
            )
        shutil.copyfile(made, to)


def find_browser() -> str | None:
    """Chromium: the one that is set, else the first one found."""
    chosen = settings().chromium
    if chosen is not None:
        return chosen if shutil.which(chosen) else None
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def _print(browser: str, page: Path, to: Path, profile: Path) -> str:
    """Have the browser print; returns the last thing it said when it failed."""
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={to}",
        page.as_uri(),
    ]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if as_root or settings().tenant_home is not None:
        # Chromium has no sandbox for root, and none inside a company's own walls
        command.insert(1, "--no-sandbox")
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=PDF_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"> {PDF_TIMEOUT_S} s"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else f"exit {done.returncode}"
