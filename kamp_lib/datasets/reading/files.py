"""Files and folders a factory has -> raw cells, each row knowing where it came from."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.raw import FILE, PROVENANCE, RUN, Raw, Source
from kamp_lib.datasets.reading.archives import Archives, File
from kamp_lib.datasets.reading.formats import read_table
from kamp_lib.datasets.reading.kinds import ENDINGS, IMAGE_ENDINGS
from kamp_lib.errors import KampError, UsageError
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

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
    last folder is the class. Links inside a folder are not followed.

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
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise UsageError("가져올 파일을 적어 주세요.", "name a file to ingest.")
    if (labels is None) != (on is None):
        raise UsageError(
            "--labels 와 --on 은 함께 씁니다. 예: --labels train.csv --on No",
            "--labels and --on go together, for example --labels train.csv --on No",
        )
    label_path = Path(labels) if labels is not None else None
    found = [f for path in given for f in _files(Path(path), label_path)]
    archives = Archives(options)
    found = _with_own_names(archives.opened(found))
    pictures = [f for f in found if f[0].suffix.lower() in IMAGE_ENDINGS]
    tables = [f for f in found if f[0].suffix.lower() not in IMAGE_ENDINGS]
    if pictures and not tables:
        from kamp_lib.datasets.reading.images import read_images

        raw = read_images(pictures, progress=progress)
    elif pictures:
        raise KampError(
            f"표와 이미지가 섞여 있습니다(예: {tables[0][1]}, {pictures[0][1]}). 나누어 가져오세요.",
            f"tables and images are mixed ({tables[0][1]}, {pictures[0][1]}); ingest them apart.",
        )
    else:
        runs = label_path is not None or _lie_together(given, found)
        raw = _join_files(list(_tables(tables, options, progress)), runs=runs)
    if label_path is not None and on is not None:
        raw = _with_labels(raw, label_path, on, options)
    return archives.signed(raw)


def _files(path: Path, labels: Path | None) -> list[tuple[Path, str]]:
    """The files behind one path, with the names people know them by."""
    if not path.exists():
        raise KampError(
            f"파일이 없습니다: {path}. 경로를 확인하세요.",
            f"there is no such file: {path}; check the path.",
        )
    if not path.is_dir():
        if not path.is_file():  # a pipe or a device never ends
            raise KampError(
                f"일반 파일이 아니어서 읽을 수 없습니다: {path}. 파일이나 폴더를 고르세요.",
                f"not a plain file: {path}; choose a file or a folder.",
            )
        return [(path, _name(path.name))]
    found = []
    for folder, folders, names in os.walk(path, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__")))
        for name in names:
            file = Path(folder) / name
            usable = file.suffix.lower() in (*ENDINGS, *IMAGE_ENDINGS)
            if name.startswith((".", "~$")) or file.is_symlink() or not file.is_file():
                continue
            if usable and not (labels and labels.exists() and file.samefile(labels)):
                found.append((file, _name(file.relative_to(path).as_posix())))
    if not found:
        raise KampError(
            f"폴더에 읽을 수 있는 파일이 없습니다: {path}. CSV, 엑셀(.xlsx), Parquet, 이미지를 넣으세요.",
            f"nothing in the folder can be read: {path}; it needs CSV, .xlsx, Parquet or images.",
        )
    return sorted(found, key=lambda f: _natural(f[1]))


def _lie_together(given: Sequence[str | os.PathLike[str]], found: list[File]) -> bool:
    """Whether a folder was given, or an archive of several files."""
    return len(found) > len(given) or any(Path(p).is_dir() for p in given)


def _name(name: str) -> str:
    """A file's name as text: what an old Korean Windows packed is CP949."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", errors="replace")


def _with_own_names(files: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Names by which files can be told apart: a folder before those that share one."""
    often = Counter(name for _, name in files)
    named, taken = [], set()
    for path, name in files:
        if often[name] > 1:
            name = f"{path.resolve().parent.name}/{name}"
        wanted, number = name, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
        taken.add(name)
        named.append((path, name))
    return named


def _natural(name: str) -> list[tuple[int, str]]:
    """run_2 before run_10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdigit() else (0, p) for p in parts]


def _tables(
    files: Sequence[tuple[Path, str]], options: Options, progress: Progress
) -> Iterator[Raw]:
    step = Text("파일 읽는 중", "reading files")
    for done, (path, name) in enumerate(files):
        progress(step, done=done, total=len(files))
        yield read_table(path, name, options)


def run_names(names: Sequence[str]) -> list[str]:
    """The run each file holds: the last number of its name, or else its stem.

    >>> run_names(["experiment_01.csv", "experiment_14.csv"])
    ['1', '14']
    >>> run_names(["left.csv", "right.csv"])
    ['left', 'right']
    """
    stems = [Path(n).with_suffix("").as_posix() for n in names]
    numbers = [re.search(r"(\d+)\D*$", stem) for stem in stems]
    found = [
        str(int(n.group(1))) if n else stem
        for n, stem in zip(numbers, stems, strict=True)
    ]
    return found if all(numbers) and len(set(found)) == len(found) else stems


def _join_files(raws: list[Raw], *, runs: bool) -> Raw:
    """One table of all files; a file with quite other columns is refused."""
    if runs:
        names = run_names([raw.sources[0].name for raw in raws])
        raws = [_as_run(raw, run) for raw, run in zip(raws, names, strict=True)]
    if len(raws) == 1:
        return raws[0]
    usual = Counter(tuple(raw.columns) for raw in raws).most_common(1)[0][0]
    differing: dict[str, list[str]] = {}
    for raw in raws:
        columns, name = set(raw.columns), raw.sources[0].name
        shared = (columns & set(usual)) - {RUN}
        if not shared or len(shared) * 2 < len(set(usual) - {RUN}):
            raise KampError(
                f"'{name}'의 열이 다른 파일들과 다릅니다. 따로 가져오거나,"
                f" 판정이 적힌 파일이면 --labels {name} --on 열이름 을 쓰세요.",
                f"the columns of {name!r} differ from the other files; ingest it apart,"
                f" or if it holds labels, use --labels {name} --on COLUMN.",
            )
        for column in columns ^ set(usual):
            differing.setdefault(column, []).append(name)
    tables = [_as_text_where(raw.table, raws) for raw in raws]
    joined = Raw(
        pa.concat_tables(tables, promote_options="default"),
        [s for raw in raws for s in raw.sources],
        [r for raw in raws for r in raw.rejected],
        [f for raw in raws for f in raw.findings],
        {name: say for raw in raws for name, say in raw.verbatim.items()},
    )
    if differing:
        files = list(dict.fromkeys(f for names in differing.values() for f in names))
        joined.findings.append(
            finding(
                "differing-columns", columns=differing, count=len(files), examples=files
            )
        )
    return joined


def _as_run(raw: Raw, run: str) -> Raw:
    source = raw.sources[0]
    named = Source(
        source.name,
        source.path,
        source.sha256,
        source.bytes,
        source.rows,
        run,
        source.details,
    )
    table = raw.table
    if RUN not in table.column_names:
        table = table.add_column(0, RUN, pa.array([run] * table.num_rows, pa.string()))
    return Raw(table, [named], raw.rejected, raw.findings, raw.verbatim)


def _as_text_where(table: pa.Table, raws: list[Raw]) -> pa.Table:
    """Columns whose native types differ between files become text."""
    for place, field in enumerate(table.schema):
        types = {
            r.table.schema.field(field.name).type
            for r in raws
            if field.name in r.table.column_names
        }
        if len(types) > 1:
            column = table[place].cast(pa.string())
            table = table.set_column(place, field.name, column)
    return table


def _with_labels(raw: Raw, path: Path, on: str, options: Options) -> Raw:
    """Join the columns of the label file to the rows they speak of."""
    labels = read_table(path, path.name, options) if path.is_file() else None
    if labels is None:
        raise KampError(
            f"판정 파일이 없습니다: {path}. 경로를 확인하세요.",
            f"there is no label file: {path}; check the path.",
        )
    if on not in labels.columns:
        raise KampError(
            f"'{path.name}'에 '{on}' 열이 없습니다. 있는 열: {', '.join(labels.columns)}",
            f"{path.name!r} has no column {on!r}; it has {', '.join(labels.columns)}.",
        )
    keys = [_key(v) for v in labels.table[on].to_pylist()]
    twice = [k for k, n in Counter(keys).items() if k and n > 1]
    if twice:
        raise KampError(
            f"'{path.name}'의 '{on}' 열에 같은 값이 겹칩니다({', '.join(twice[:5])}). 하나만 남기세요.",
            f"{path.name!r} names {', '.join(twice[:5])} more than once in {on!r}; keep one of each.",
        )
    place_of = {key: place for place, key in enumerate(keys) if key}
    by = on if on in raw.columns else (FILE if raw.images else RUN)
    names = raw.table[by].to_pylist()
    found = {name: _place(name, place_of) for name in dict.fromkeys(names)}
    unmatched = [str(n) for n, place in found.items() if place is None]
    if len(unmatched) == len(found):
        raise KampError(
            f"'{path.name}'의 '{on}' 값이 파일 이름과 하나도 맞지 않습니다(예: {keys[0]}, {names[0]})."
            " --on 에 맞는 열 이름을 적으세요.",
            f"no value of {on!r} in {path.name!r} fits the files ({keys[0]!r}, {names[0]!r});"
            " name the right column with --on.",
        )
    order = pa.array([found[name] for name in names], pa.int64())
    table = raw.table
    for name in labels.columns:
        if name == on or name in table.column_names:
            continue
        column = labels.table[name].combine_chunks()
        table = table.append_column(name, pc.take(column, order))
    raw.table = table.select(
        [*(c for c in table.column_names if c not in PROVENANCE), *PROVENANCE]
    )
    raw.labels = labels.sources[0]
    if unmatched:
        raw.findings.append(
            finding(
                "unlabelled-runs",
                columns=[on],
                count=len(unmatched),
                examples=unmatched,
            )
        )
    return raw


def _key(value: object) -> str:
    """What a label's key is compared by: `01`, `1` and 1.0 are the same."""
    text = "" if value is None else str(value).strip()
    return str(int(float(text))) if re.fullmatch(r"\d+(\.0+)?", text) else text


def _place(name: object, place_of: dict[str, int]) -> int | None:
    text = "" if name is None else str(name)
    stem = Path(text).stem
    number = re.search(r"(\d+)\D*$", stem)
    for key in (_key(text), stem, _key(number.group(1)) if number else ""):
        if key in place_of:
            return place_of[key]
    return None
