"""WAV recordings -> raw cells: a column per channel, and the time from the rate."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.arrow_files import check_cells, raw_of
from kamp_lib.datasets.reading.refusals import no_data, plainly


def read_sound(path: Path, name: str) -> Raw:
    """Read one WAV file, 8 to 64 bits or float, as fractions of full scale.

    A fraction is the same for every number of bits, so recordings of different
    recorders can be held against each other.
    """
    from scipy.io import wavfile

    with (
        plainly(name, "PCM WAV"),
        warnings.catch_warnings(record=True) as said,
        np.errstate(invalid="ignore"),
    ):
        warnings.simplefilter("always", wavfile.WavFileWarning)
        rate, samples = wavfile.read(path)
        scaled = _full_scale(samples.reshape(len(samples), -1))
    if scaled.size == 0 or rate <= 0:
        raise no_data(name)
    check_cells(scaled.size, 1, name)
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
