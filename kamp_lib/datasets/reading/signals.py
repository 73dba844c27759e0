"""MATLAB, NumPy and HDF5 files -> raw cells: arrays of equal length are the columns."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw, unique_names
from kamp_lib.datasets.reading.archives import check_size
from kamp_lib.datasets.reading.arrow_files import check_cells, raw_of
from kamp_lib.datasets.reading.refusals import no_data, plainly
from kamp_lib.datasets.reading.trial import cells_when_tried
from kamp_lib.errors import KampError, UsageError

MOST_COLUMNS = 10_000  # of one array
RATES = frozenset(
    {"fs", "sr", "samplerate", "sample_rate", "samplingrate", "sampling_rate"}
)
TIMES = frozenset({"t", "time", "time_s", "times", "timestamp"})
Arrays = dict[str, np.ndarray]


def read_matlab(path: Path, name: str, options: Options) -> Raw:
    """Read a MATLAB file of version 4 to 7; newer ones are HDF5."""
    import scipy.io

    with plainly(name, "MATLAB(.mat)"):
        cells_when_tried("matlab", path.read_bytes())
        for variable, shape, _ in scipy.io.whosmat(path):
            check_cells(int(np.prod(shape)), 1, f"{name}/{variable}")
        held = scipy.io.loadmat(path, chars_as_strings=True)
    arrays: Arrays = {}
    for variable, value in held.items():
        if not variable.startswith("__"):
            arrays |= dict(_fields(variable, value))
    return _raw_of(arrays, path, name, options)


def read_numpy(path: Path, name: str, options: Options) -> Raw:
    """Read one NumPy array; nothing of it is ever run (no pickle)."""
    with plainly(name, "NumPy"), _arrays_only(name):
        array = np.load(path, allow_pickle=False, mmap_mode="r")
        check_cells(array.size, 1, name)
        arrays = dict(_fields("value", np.array(array)))
    return _raw_of(arrays, path, name, options)


def read_numpy_archive(path: Path, name: str, options: Options) -> Raw:
    """Read the arrays of an .npz file; nothing of it is ever run (no pickle)."""
    arrays: Arrays = {}
    with plainly(name, "NumPy"), _arrays_only(name):
        with zipfile.ZipFile(path) as archive:
            inflated = sum(info.file_size for info in archive.infolist())
        check_size(inflated, path.stat().st_size, name)
        with np.load(path, allow_pickle=False) as held:
            for variable in held.files:
                arrays |= dict(_fields(variable, held[variable]))
    return _raw_of(arrays, path, name, options)


def read_hdf5(path: Path, name: str, options: Options) -> Raw:
    """Read the data sets of an HDF5 file, such as MATLAB writes since 7.3.

    Links to other files are not followed.
    """
    import h5py

    arrays: Arrays = {}

    def visit(place: str, node: Any) -> None:
        if not isinstance(node, h5py.Dataset) or place.startswith("#"):
            return
        if node.external or node.is_virtual or node.dtype.kind not in "biufSU":
            return
        check_cells(node.size or 0, 1, name)
        array = np.asarray(node[()])
        if node.attrs.get("MATLAB_class") == b"char" and array.dtype.kind == "u":
            array = np.array("".join(map(chr, array.ravel(order="F"))))
        arrays[place.replace("/", ".")] = array

    with plainly(name, "HDF5/MATLAB"):
        check_cells(cells_when_tried("hdf5", path.read_bytes()), 1, name)
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    return _raw_of(arrays, path, name, options)


@contextmanager
def _arrays_only(name: str) -> Iterator[None]:
    """Python objects in an array would run as code when they are loaded."""
    try:
        yield
    except ValueError as error:
        if not any(said in str(error) for said in ("allow_pickle", "Python objects")):
            raise
        raise KampError(
            f"'{name}'에 숫자 배열이 아닌 파이썬 객체가 들어 있어 안전하게 읽을 수 없습니다."
            " 숫자 배열만 다시 저장하세요.",
            f"{name!r} holds Python objects, which cannot be read safely; save just"
            " the arrays of numbers.",
        ) from error


def _fields(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Plain arrays by name; the fields of structures with dots."""
    array = np.asarray(value)
    if array.dtype.names:
        for part in array.dtype.names:
            yield from _fields(f"{name}.{part}", array[part], depth)
    elif array.dtype == object:
        if array.size == 1 and depth < 10:
            yield from _fields(name, array.reshape(-1)[0], depth + 1)
    elif array.dtype.kind == "c":
        yield f"{name}.real", array.real
        yield f"{name}.imag", array.imag
    elif array.dtype.kind in "biufSUmM":
        yield name, array


def _raw_of(
    arrays: Mapping[str, np.ndarray], path: Path, name: str, options: Options
) -> Raw:
    """One table of the arrays that are equally long, and of single values beside them."""
    tall = {k: t for k, a in arrays.items() if (t := _tall(a)) is not None}
    single = {k: a.reshape(-1)[0] for k, a in arrays.items() if a.size == 1}
    if not tall:
        if not single:
            raise no_data(name)
        tall, single = {k: np.array([[v]]) for k, v in single.items()}, {}
    length = _length(tall, name, options)
    chosen = {k: a for k, a in tall.items() if len(a) == length}
    columns = _columns(chosen)
    check_cells(length, len(columns) + len(single), name)
    names = unique_names([*columns, *single])
    values = [_arrow(v) for v in columns.values()]
    values += [pa.repeat(_arrow(np.array([v]))[0], length) for v in single.values()]
    table = pa.table(values, names=names)
    rate = _rate(single)
    if rate and not TIMES & {n.lower() for n in names}:
        table = table.add_column(0, "time_s", pa.array(np.arange(length) / rate))
    raw = raw_of(table, path, name, details={"variables": ", ".join(chosen)})
    if "time_s" in table.column_names:
        raw.units["time_s"] = "s"
    left = [k for k, a in tall.items() if len(a) != length]
    if left:
        raw.findings.append(
            finding(
                "arrays-left-out",
                columns=list(chosen),
                count=len(left),
                examples=[f"{k} ({len(tall[k]):,})" for k in left],
                file=name,
                rows=length,
            )
        )
    return raw


def _tall(array: np.ndarray) -> np.ndarray | None:
    """An array as rows × columns: (n,), (n, 1), (1, n) and (k, n) with few k alike."""
    if array.size < 2:
        return None
    array = array.squeeze()
    if array.ndim == 1:
        return array.reshape(-1, 1)
    if array.ndim != 2 or min(array.shape) > MOST_COLUMNS:
        return None
    return array if array.shape[0] >= array.shape[1] else array.T


def _length(tall: Mapping[str, np.ndarray], name: str, options: Options) -> int:
    """How long the columns are: what was asked for, or where most values are."""
    if options.sheet is not None:
        if options.sheet not in tall:
            known = ", ".join(tall)
            raise UsageError(
                f"'{name}'에 변수 '{options.sheet}'이(가) 없습니다. 있는 변수: {known}",
                f"{name!r} has no variable {options.sheet!r}; it has {known}.",
            )
        return len(tall[options.sheet])
    values: dict[int, int] = {}
    for array in tall.values():
        values[len(array)] = values.get(len(array), 0) + array.size
    return max(values, key=lambda length: (values[length], length))


def _columns(chosen: Mapping[str, np.ndarray]) -> Arrays:
    """One column for each column of every array."""
    columns: Arrays = {}
    for name, array in chosen.items():
        width = array.shape[1]
        for place in range(width):
            own = name if width == 1 else f"{name}_{place + 1}"
            columns[own] = np.ascontiguousarray(array[:, place])
    return columns


def _arrow(values: np.ndarray) -> pa.Array:
    if values.dtype.kind in "SU":
        text = [
            v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v)
            for v in values.tolist()
        ]
        return pa.array([t.strip() for t in text], pa.string())
    if values.dtype.kind in "mM":
        unit = np.datetime_data(values.dtype)[0]
        kind = f"{values.dtype.kind}8[{'us' if unit in 'YMWDhm' else 'ns'}]"
        return pa.array(values.astype(kind))
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return pa.array(native.astype("f8") if native.dtype.itemsize > 8 else native)


def _rate(single: Mapping[str, Any]) -> float | None:
    """The sampling rate in Hz, where the file tells it."""
    for name, value in single.items():
        last = name.lower().rsplit(".", 1)[-1]
        if last in RATES and np.issubdtype(np.asarray(value).dtype, np.number):
            return float(value) if np.isfinite(value) and value > 0 else None
    return None
