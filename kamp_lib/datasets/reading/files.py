"""Files and folders a factory has -> raw cells, each row knowing where it came from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.alike import refuse_strangers, sort_out
from kamp_lib.datasets.reading.archives import Archives
from kamp_lib.datasets.reading.folders import (
    files_behind,
    passed_over,
    with_own_names,
)
from kamp_lib.datasets.reading.formats import read_table
from kamp_lib.datasets.reading.joining import join
from kamp_lib.datasets.reading.kinds import IMAGE_ENDINGS, File
from kamp_lib.datasets.reading.label_files import (
    SURE,
    Match,
    file_matches,
    find_labels,
    joined_unasked,
    uncertain,
)
from kamp_lib.datasets.reading.labels import join_labels
from kamp_lib.datasets.reading.turning import turned
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError, UsageError
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

READING = Text("파일 읽는 중", "reading files")
FEW_TABLES = 5  # beside pictures: so many are looked at for labels
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def read(
    paths: Paths,
    *,
    labels: str | os.PathLike[str] | None = None,
    on: str | None = None,
    options: Options = UNSAID,
    progress: Progress = silent,
) -> Raw:
    """Read files as one table, or folders of runs or of images.

    A folder of tables is a folder of runs: the number (or stem) of each file's name
    becomes the column `run_id`. A folder of images is read by folder: the name of the
    last folder is the class. A table that names the files is taken for their labels
    when it can be nothing else. Links inside a folder are not followed.

    A table of many like columns (months) is turned to one record per row, and a list
    of tags and values to one row per time, unless `options.layout` says otherwise; the
    rows that are counted from then on are those of the turned table.

    Parameters
    ----------
    paths : path or iterable of paths
        CSV (UTF-8, CP949; comma, semicolon, tab), .xlsx, Parquet, images, or folders.
    labels : path, optional
        Another table whose columns are joined to the rows.
    on : str, optional
        Column of `labels` that names the run, the image, or a column of the data.
    options : Options
        Which sheet or table is meant, passwords, layout.
    progress : Progress
        Told of each file.

    Raises
    ------
    KampError
        When something cannot be read: which, and what to do about it.
    """
    given = [Path(p) for p in _listed(paths)]
    if not given:
        raise UsageError("가져올 파일을 적어 주세요.", "name a file to ingest.")
    if (labels is None) != (on is None):
        raise UsageError(
            "--labels 와 --on 은 함께 씁니다. 예: --labels train.csv --on No",
            "--labels and --on go together, for example --labels train.csv --on No",
        )
    label_path = Path(labels) if labels is not None else None
    if label_path is not None:  # named among the data as well
        given = [p for p in given if p != label_path] or given
    behind = [files_behind(path, label_path) for path in given]
    archives = Archives(options)
    files = with_own_names(archives.opened([f for found, _ in behind for f in found]))
    together = (p for p in given if p.is_dir() or len(files) > len(given))
    folder = next((path.name or str(path) for path in together), None)
    runs = label_path is not None or folder is not None
    pictures, tables = _by_kind(files, folder)
    if pictures:
        raw = _read_pictures(pictures, tables, folder, label_path, options, progress)
    else:
        raws, notes = _tables(tables, folder, options, progress)
        raw = _read_rows(raws, folder, label_path, options, runs=runs)
        raw.findings += notes
        left = [name for path, name in files if _is_picture(path)]
        raw.findings += passed_over(left, folder or "")
    raw.findings += [said for _, aside in behind for said in aside]
    if label_path is not None and on is not None:
        raw = join_labels(raw, _label_table(label_path, options), on)
    return archives.signed(raw)


def _listed(paths: Paths) -> list[str | os.PathLike[str]]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_ENDINGS


def _by_kind(
    files: Sequence[File], folder: str | None
) -> tuple[list[File], list[File]]:
    """Pictures (with the tables beside them), or tables: what a folder mostly holds."""
    pictures = [f for f in files if _is_picture(f[0])]
    tables = [f for f in files if not _is_picture(f[0])]
    if pictures and tables and folder is None:
        raise KampError(
            f"표와 이미지가 섞여 있습니다(예: {tables[0][1]}, {pictures[0][1]})."
            " 나누어 가져오거나, 판정표이면 --labels 로 붙이세요.",
            f"tables and images are mixed ({tables[0][1]}, {pictures[0][1]}); ingest them"
            " apart, or name a table of labels with --labels.",
        )
    stems = {PurePosixPath(name).stem for _, name in pictures}
    beside = sum(PurePosixPath(name).stem in stems for _, name in tables)
    if len(tables) - beside > len(pictures):
        return [], tables
    return pictures, tables


def _read_pictures(
    pictures: list[File],
    tables: list[File],
    folder: str | None,
    label_path: Path | None,
    options: Options,
    progress: Progress,
) -> Raw:
    """Pictures, with the labels of the one table beside them that names them."""
    from kamp_lib.datasets.reading.images import read_images

    raw = read_images(pictures, progress=progress)
    few = tables if label_path is None and len(tables) <= FEW_TABLES else []
    names = [name for _, name in pictures]
    read_ = [read_table(path, name, options) for path, name in few]
    matches = [m for table in read_ for m in file_matches(names, table)]
    sure = [m for m in matches if m.share >= SURE]
    if len(sure) == 1:
        raw = _joined(raw, sure[0])
        tables = [t for t in tables if t[1] != sure[0].labels.sources[0].name]
    elif matches:
        raise uncertain(matches[0])
    raw.findings += passed_over([name for _, name in tables], folder or "")
    return raw


def _read_rows(
    raws: list[Raw],
    folder: str | None,
    label_path: Path | None,
    options: Options,
    *,
    runs: bool,
) -> Raw:
    """One table of the files that belong together, in the shape to work with."""
    together, match = sort_out(raws), None
    if label_path is None:
        together, match = find_labels(together)
    notes = refuse_strangers(together, folder)
    raw = join(together.alike, runs=runs or match is not None)
    raw = turned(raw, options.layout)
    raw.findings += notes
    return raw if match is None else _joined(raw, match)


def _joined(raw: Raw, match: Match) -> Raw:
    raw = join_labels(raw, match.labels, match.on, by=match.by)
    raw.findings.append(joined_unasked(match))
    return raw


def _label_table(path: Path, options: Options) -> Raw:
    if not path.is_file():
        raise KampError(
            f"판정 파일이 없습니다: {path}. 경로를 확인하세요.",
            f"there is no label file: {path}; check the path.",
        )
    return read_table(path, path.name, options)


def _tables(
    files: Sequence[File], folder: str | None, options: Options, progress: Progress
) -> tuple[list[Raw], list[Finding]]:
    """The tables of all files; a few of a folder that cannot be read are left aside."""
    read_: list[Raw] = []
    failed: dict[str, KampError] = {}
    for done, (path, name) in enumerate(files):
        progress(READING, done=done, total=len(files))
        try:
            read_.append(read_table(path, name, options))
        except KampError as error:
            failed[name] = error
            if folder is None or len(failed) * 2 > len(files):
                raise
    if failed and len(read_) < 2 * len(failed):
        raise next(iter(failed.values()))
    return read_, _unreadable(failed, folder or "")


def _unreadable(failed: dict[str, KampError], folder: str) -> list[Finding]:
    if not failed:
        return []
    first = next(iter(failed.values())).text
    return [
        finding(
            "unreadable-file",
            count=len(failed),
            examples=failed,
            folder=folder,
            why=first,
        )
    ]
