"""Bad files through the real `kamp` command: one sentence, status 1, nothing stored."""

from __future__ import annotations

import csv
import gzip
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest
from in_process import Kamp, command

from kamp_lib.datasets import open_dataset
from kamp_lib.tenancy import Tenant

SECONDS = 10
BYTES = 1_500_000_000
ROWS = "".join(f"{n},{n / 7:.3f},x{n}\n" for n in range(30))
TABLE = "no,temp,note\n" + ROWS
Make = Callable[[Path], Path]


def written(name: str, content: bytes | str) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def zipped(name: str, content: bytes | str = TABLE) -> Make:
    def make(folder: Path) -> Path:
        path = folder / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return path

    return make


def zip_with_a_link(folder: Path) -> Path:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return folder / "a.zip"


def zip_bomb(folder: Path) -> Path:
    path = folder / "a.zip"
    packed = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with packed as archive, archive.open("a.csv", "w") as inside:
        for _ in range(300):
            inside.write(bytes(1 << 20))
    return path


def gz_bomb(folder: Path) -> Path:
    with gzip.open(folder / "a.csv.gz", "wb", compresslevel=1) as packed:
        for _ in range(300):
            packed.write(bytes(1 << 20))
    return folder / "a.csv.gz"


def xml_bomb(folder: Path) -> Path:
    from openpyxl import Workbook

    Workbook().save(folder / "good.xlsx")
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{layers}]><worksheet>&e9;</worksheet>'
    path = folder / "a.xlsx"
    good = zipfile.ZipFile(folder / "good.xlsx")
    with good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bad:
        for name in good.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml"
            bad.writestr(name, bomb if is_sheet else good.read(name))
    return path


def endless_line(folder: Path) -> Path:
    with open(folder / "a.csv", "wb") as file:
        file.write(b"a,b\n1,2\n")
        for _ in range(100):
            file.write(b"x" * (1 << 20))
    return folder / "a.csv"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.csv")
    return folder / "a.csv"


def device(folder: Path) -> Path:
    (folder / "a.csv").symlink_to("/dev/zero")
    return folder / "a.csv"


def folder_of(*names: str) -> Make:
    def make(folder: Path) -> Path:
        place = folder / "files"
        place.mkdir()
        for name in names:
            (place / name).write_text("nothing to see")
        return place

    return make


def folder_of_links(folder: Path) -> Path:
    place = folder / "files"
    place.mkdir()
    (folder / "secret.csv").write_text(TABLE)
    (place / "a.csv").symlink_to(folder / "secret.csv")
    return place


REFUSED: dict[str, Make] = {
    "empty": written("a.csv", b""),
    "only blanks": written("a.csv", b" \r\n\r\n"),
    "only a header": written("a.csv", "a,b,c\n"),
    "binary junk": written("a.csv", bytes(range(256)) * 64),
    "only null bytes": written("a.csv", bytes(5000)),
    "a null byte in a cell": written("a.csv", TABLE.replace("x7", "x\x007")),
    "null bytes as xlsx": written("a.xlsx", bytes(5000)),
    "too many columns": written("a.csv", ",".join(map(str, range(30_000))) + "\n1\n"),
    "endless line": endless_line,
    "zip path": zipped("../../a.csv"),
    "zip absolute": zipped("/tmp/a.csv"),  # noqa: S108 - it must not get there
    "zip link": zip_with_a_link,
    "zip bomb": zip_bomb,
    "gz bomb": gz_bomb,
    "xml bomb": xml_bomb,
    "pipe": pipe,
    "device": device,
    "not there": lambda folder: folder / "a.csv",
    "empty folder": folder_of(),
    "folder without tables": folder_of("a.exe", "b.dll"),
    "folder of links": folder_of_links,
    "all rows rejected": written("a.csv", "a,b\n" + "1,2,3,4\n" * 30 + "5,6\n"),
}


class Command:
    """`kamp` in this process, and what it said."""

    def __init__(self, run: Kamp) -> None:
        self._run = run
        self.err = ""

    def __call__(self, *words: object) -> int:
        said = self._run(*words)
        self.err = said.err
        return said.status


@pytest.fixture
def kamp(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    return Command(command(monkeypatch, capsys))


def is_one_sentence(said: str) -> bool:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return bool(lines) and "Traceback" not in said and len(said) < 600


def is_untouched(tenant: Tenant) -> bool:
    return not tenant.data.exists() or not list(tenant.data.iterdir())


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_a_bad_file_is_refused_in_one_sentence(
    kamp: Command, tenant: Tenant, tmp_path: Path, make: Make
) -> None:
    path = make(tmp_path)
    start = time.process_time()
    assert kamp("ingest", tenant.slug, "generic", path) == 1
    assert time.process_time() - start < SECONDS
    assert is_one_sentence(kamp.err), kamp.err
    assert path.name in kamp.err, kamp.err  # the file is to blame, not the command
    assert is_untouched(tenant)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_nobody_may_read_is_named(
    kamp: Command, tenant: Tenant, tmp_path: Path
) -> None:
    path = written("a.csv", TABLE)(tmp_path)
    path.chmod(0)
    assert kamp("ingest", tenant.slug, "generic", path) == 1
    assert "a.csv" in kamp.err
    assert is_untouched(tenant)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_locked_zip_is_refused_without_its_password(
    kamp: Command,
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    password: str | None,
) -> None:
    import pyzipper

    with pyzipper.AESZipFile(
        tmp_path / "a.zip", "w", encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(b"right")
        archive.writestr("a.csv", TABLE)
    if password:
        monkeypatch.setenv("KAMP_FILE_PASSWORD", password)
    assert kamp("ingest", tenant.slug, "generic", tmp_path / "a.zip") == 1
    assert "password" in kamp.err
    assert is_untouched(tenant)


def test_a_password_is_never_an_argument(kamp: Command, tenant: Tenant) -> None:
    assert kamp("ingest", tenant.slug, "generic", "a.zip", "--password", "x") == 2
    assert is_untouched(tenant)


def test_a_name_that_a_mac_took_apart_is_put_together(
    kamp: Command, tenant: Tenant, tmp_path: Path
) -> None:
    path = written(normalize("NFD", "사출.csv"), TABLE)(tmp_path)
    assert kamp("ingest", tenant.slug, "generic", path) == 0
    assert open_dataset(tenant, "generic").files[0]["name"] == "사출.csv"


def test_formulas_in_rejected_rows_are_harmless_when_exported(
    kamp: Command, tenant: Tenant, tmp_path: Path
) -> None:
    bad = "=cmd|' /C calc'!A0,@SUM(1),+x,-y\n"
    path = written("a.csv", TABLE + bad)(tmp_path)
    out = tmp_path / "out.csv"
    assert kamp("ingest", tenant.slug, "generic", path) == 0
    asked = ("datasets", "quarantine", tenant.slug, "generic", "--to", out)
    assert kamp(*asked) == 0
    with open(out, encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any("calc" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "-"))]


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))


def started(
    tenant: Tenant, path: Path, *, bounded: bool = False
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kamp_lib.cli", "ingest", tenant.slug, "generic"]
    return subprocess.Popen(
        [*command, str(path)],
        env={**os.environ, "KAMP_LANG": "en"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_bounded if bounded else None,  # noqa: PLW1509 - no threads here
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["endless line", "zip bomb", "gz bomb", "xml bomb"])
def test_what_would_fill_the_memory_does_not(
    tenant: Tenant, tmp_path: Path, kind: str
) -> None:
    process = started(tenant, REFUSED[kind](tmp_path), bounded=True)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert is_one_sentence(said), said
    assert "memory" not in said.lower()
    assert is_untouched(tenant)


@pytest.mark.long
def test_two_thousand_columns_are_stored(tenant: Tenant, tmp_path: Path) -> None:
    head = ",".join(f"c{n}" for n in range(2_000))
    rows = [",".join(f"{r * n % 97 + 0.5}" for n in range(2_000)) for r in range(100)]
    path = written("a.csv", "\n".join([head, *rows]) + "\n")(tmp_path)
    process = started(tenant, path)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert peak < BYTES, f"{peak / 1e6:.0f} MB"
    assert open_dataset(tenant, "generic").to_pandas().shape[0] == 100


@pytest.mark.long
@pytest.mark.parametrize("after", [2.0, 4.0])
def test_ctrl_c_is_one_sentence_and_leaves_nothing(
    tenant: Tenant, tmp_path: Path, after: float
) -> None:
    path = written("a.csv", "a,b,c\n" + ROWS * 100_000)(tmp_path)
    process = started(tenant, path)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "stopped" in said
    assert is_one_sentence(said), said
    left = [p.name for p in tenant.data.rglob("*") if p.is_file()]
    assert [name for name in left if not name.endswith(".lock")] == []
