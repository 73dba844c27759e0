"""Damaged files: never a traceback, a hang, a lost row or memory without bounds."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from fuzz.corpus import real_files, simulated_files
from fuzz.mutations import damaged

pytestmark = pytest.mark.e2e
PATIENCE_S = 10.0  # of processor time, so that a busy machine condemns no file
HANGING_S = 60.0  # without any answer
MEMORY_MB = 1500
STORED_EVERY = 8  # every so many files really go into a store; the others are a dry run


@dataclass
class Report:
    """What went wrong, by seed, and how the rest ended."""

    wrong: dict[int, str] = field(default_factory=dict)
    stored: int = 0
    refused: int = 0


def trial(home: Path, corpus: dict[str, bytes], seed: int) -> str:
    """Bring one damaged file in. Returns how it ended: stored or refused."""
    from kamp_lib.datasets import ingest, open_dataset
    from kamp_lib.errors import KampError
    from kamp_lib.tenancy import add_tenant

    name, data = damaged(corpus, seed)
    folder = home / f"case-{seed}"
    folder.mkdir(parents=True)
    os.environ["KAMP_HOME"] = str(folder / "home")
    try:
        path = folder / name
        path.write_bytes(data)
        tenant = add_tenant("fuzz", "퍼즈", equipment=["generic"])
        really = seed % STORED_EVERY == 0
        try:
            result = ingest(tenant, "generic", path, dataset="f", dry_run=not really)
        except KampError as error:
            said = str(error)
            assert said.strip(), "a refusal says something"
            assert "Traceback" not in said
            assert not (tenant.data / "f" / "table").exists(), "the store is untouched"
            return "refused"
        counts = result.rows_stored + result.rows_quarantined + result.rows_duplicate
        assert result.rows_read == counts, "no row is lost"
        if really:
            dataset = open_dataset(tenant, "f")
            assert len(dataset.to_pandas()) == result.rows_stored
            assert len(dataset.quarantine()) == result.rows_quarantined
        return "stored"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _peak_mb() -> int:
    """The most memory this process has held; `ru_maxrss` counts its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def _worker(pipe: Connection, home: Path) -> None:
    """Answer (ending, trouble, peak memory in MB, seconds) for every seed that is sent."""
    corpus = {**simulated_files(), **real_files()}
    while (seed := pipe.recv()) is not None:
        ending, trouble, began = "", "", time.process_time()
        try:
            ending = trial(home, corpus, seed)
        except Exception:
            trouble = traceback.format_exc(limit=-4)
        peak = _peak_mb()
        pipe.send((ending, trouble, peak, time.process_time() - began))


class Worker:
    """A process that tries one file at a time, and is ended when it hangs."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self.pipe, theirs = self._context.Pipe()
        self.process = self._context.Process(
            target=_worker, args=(theirs, self._home), daemon=True
        )
        self.process.start()
        theirs.close()
        self._fresh = True

    def attempt(self, seed: int, report: Report) -> None:
        self.pipe.send(seed)
        # the first file pays for the imports
        patience = PATIENCE_S + (20 if self._fresh else 0)
        self._fresh = False
        if not self.pipe.poll(HANGING_S):
            report.wrong[seed] = f"no answer within {HANGING_S:g} s"
            self.stop(kill=True)
            self._start()
            return
        try:
            ending, trouble, peak, seconds = self.pipe.recv()
        except EOFError:
            report.wrong[seed] = "the process died"
            self.stop(kill=True)
            self._start()
            return
        if trouble:
            report.wrong[seed] = trouble
        elif seconds > patience:
            report.wrong[seed] = f"{seconds:.1f} s of processor time"
        elif peak > MEMORY_MB:
            report.wrong[seed] = f"{peak} MB of memory"
            self.stop(kill=True)
            self._start()
        report.stored += ending == "stored"
        report.refused += ending == "refused"

    def stop(self, *, kill: bool = False) -> None:
        if kill:
            self.process.kill()
        else:
            self.pipe.send(None)
        self.process.join(10)
        self.pipe.close()


def bring_in(home: Path, seeds: range) -> Report:
    report = Report()
    worker = Worker(home)
    for seed in seeds:
        worker.attempt(seed, report)
    worker.stop()
    return report


def check(report: Report, files: int) -> None:
    shown = "\n\n".join(
        f"seed {s}:\n{why}" for s, why in list(report.wrong.items())[:5]
    )
    assert not report.wrong, f"{len(report.wrong)} of {files} files:\n{shown}"
    # a fuzzer that is always refused tests nothing but the refusal
    assert report.stored > files / 4
    assert report.refused > files / 20


def test_three_hundred_damaged_files(tmp_path):
    check(bring_in(tmp_path, range(300)), 300)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("part", range(2))
def test_ten_thousand_damaged_files(tmp_path, part):
    seeds = range(1000 + 5000 * part, 1000 + 5000 * (part + 1))
    check(bring_in(tmp_path, seeds), len(seeds))
