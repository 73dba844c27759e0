"""Sound files of every kind, small and plausible, to be damaged."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
from PIL import Image

REAL = Path(__file__).parents[3] / "shared" / "data"
REAL_FILES = (
    "kamp_injection_moulding/labeled_data.csv",
    "kamp_injection_moulding/moldset_labeled_cn7_missing.csv",
    "kamp_press/press.csv",
    "kamp_cnc/experiment_01.csv",
    "kamp_cnc/train.csv",
    "kamp_melting_tank/melting_tank.csv",
    "ai4i2020/ai4i2020.csv",
    "cmapss/train_FD001.txt",
    "skab/data/valve1/0.csv",
    "steel_energy/steel_energy.csv",
    "carparts/carparts.csv",
    "daily_orders/Daily_Demand_Forecasting_Orders.csv",
)
HEAD_LINES = 120


def table(rows: int = 80) -> pd.DataFrame:
    """Shots of a moulding machine, as its controller writes them."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "생산일시": pd.date_range("2026-03-02 08:00:00", periods=rows, freq="37s"),
            "샷번호": np.arange(1, rows + 1),
            "설비명": "사출 3호기",
            "금형온도1(℃)": rng.normal(62, 1, rows).round(1),
            "최대사출압력(MPa)": rng.normal(121, 3, rows).round(2),
            "사이클타임(s)": rng.normal(41.2, 0.3, rows).round(3),
            "양불판정": np.where(rng.random(rows) < 0.1, "불량", "양품"),
        }
    )


def _excel(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_excel(out, index=False, engine="openpyxl")
    return out.getvalue()


def _feather(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    feather.write_feather(pa.Table.from_pandas(frame), out)
    return out.getvalue()


def _sqlite(frame: pd.DataFrame) -> bytes:
    with sqlite3.connect(":memory:") as database:
        frame.astype({"생산일시": str}).to_sql("shots", database, index=False)
        return database.serialize()


def _json_lines(frame: pd.DataFrame) -> bytes:
    rows = frame.astype({"생산일시": str}).to_dict("records")
    return "\n".join(json.dumps(r, ensure_ascii=False) for r in rows).encode()


def _npz() -> bytes:
    out = io.BytesIO()
    signal = np.sin(np.arange(600) / 7)
    np.savez(out, DE=signal.reshape(-1, 1), FE=signal[::-1].reshape(-1, 1))
    return out.getvalue()


def _mat() -> bytes:
    from scipy.io import savemat

    out = io.BytesIO()
    savemat(out, {"DE_time": np.sin(np.arange(600) / 7).reshape(-1, 1), "RPM": 1797})
    return out.getvalue()


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        ticks = (1000 * np.sin(np.arange(800) / 9)).astype("<i2")
        sound.writeframes(ticks.tobytes())
    return out.getvalue()


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shots.csv", content)
    return out.getvalue()


def _image(kind: str, mode: str) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(out, kind)
    return out.getvalue()


def simulated_files() -> dict[str, bytes]:
    """File name -> content."""
    frame = table()
    plain = frame.to_csv(index=False)
    korean = frame.assign(
        생산일시=frame["생산일시"].dt.strftime("%Y-%m-%d 오전 %I:%M:%S")
    )
    tables: dict[str, Callable[[], bytes]] = {
        "shots.csv": plain.encode,
        "shots-cp949.csv": lambda: korean.to_csv(index=False).encode("cp949"),
        "shots-utf16.txt": lambda: frame.to_csv(index=False, sep="\t").encode("utf-16"),
        "shots-semicolon.csv": lambda: frame.to_csv(
            index=False, sep=";", decimal=","
        ).encode(),
        "shots-titled.csv": (
            "일일 생산 실적\n\n" + plain + plain.splitlines()[0] + "\n합계,,,,,,\n"
        ).encode,
        "shots-quoted.csv": lambda: frame.to_csv(index=False, quoting=1).encode(),
        "shots.xlsx": lambda: _excel(frame),
        "shots.parquet": lambda: frame.to_parquet(index=False),
        "shots.feather": lambda: _feather(frame),
        "shots.jsonl": lambda: _json_lines(frame),
        "shots.sqlite": lambda: _sqlite(frame),
        "shots.zip": lambda: _zip(plain.encode()),
        "shots.csv.gz": lambda: gzip.compress(plain.encode(), mtime=0),
        "bearing.npz": _npz,
        "bearing.mat": _mat,
        "pump.wav": _wav,
        "part.png": lambda: _image("PNG", "RGB"),
        "part.jpg": lambda: _image("JPEG", "RGB"),
        "part.bmp": lambda: _image("BMP", "L"),
        "part.tif": lambda: _image("TIFF", "L"),
    }
    return {name: make() for name, make in tables.items()}


def real_files() -> dict[str, bytes]:
    """The first lines of real files, where the folder of real data is there."""
    found = {}
    for name in REAL_FILES:
        path = REAL / name
        if path.exists():
            with open(path, "rb") as file:
                found[path.name] = b"".join(
                    line for line, _ in zip(file, range(HEAD_LINES), strict=False)
                )
    return found
