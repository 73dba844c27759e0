"""WAV recordings -> raw cells: a column per channel, and the time from the rate."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.arrow_files import check_cells, no_data, raw_of
from kamp_lib.errors import KampError


def read_sound(path: Path, name: str) -> Raw:
    """Read one WAV file, 8 to 64 bits or float, as fractions of full scale.

    A fraction is the same for every number of bits, so recordings of different
    recorders can be held against each other.
    """
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except (ValueError, EOFError, struct.error, OSError, ArithmeticError) as error:
        raise KampError(
            f"'{name}'은(는) 끝까지 저장되지 않았거나 압축된 WAV 파일입니다. PCM WAV로 다시 저장하세요.",
            f"{name!r} is a truncated or compressed WAV file; save it again as PCM WAV.",
        ) from error
    samples = samples.reshape(len(samples), -1)
    if samples.size == 0:
        raise no_data(name)
    check_cells(samples.size, 1, name)
    scaled = _full_scale(samples)
    columns = {"time_s": pa.array(np.arange(len(scaled)) / rate)}
    for place in range(scaled.shape[1]):
        columns[f"channel_{place + 1}"] = pa.array(scaled[:, place])
    raw = raw_of(pa.table(columns), path, name, details={"rate_hz": str(rate)})
    raw.units["time_s"] = "s"
    if any("EOF" in str(warning.message) for warning in said):
        raw.findings.append(finding("cut-short", count=len(scaled), examples=[name]))
    return raw


def _full_scale(samples: np.ndarray) -> np.ndarray:
    """Numbers between -1 and 1; only 8 bits are stored without a sign."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float64)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128
    return samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)
