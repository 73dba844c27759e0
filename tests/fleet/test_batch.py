"""A batch: what is done, what is not done twice, and what one company's trouble touches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fleet import stand_in
from fleet.conftest import of, plan_of, run
from fleet.stand_in import Instead, machines_done

from kamp_lib.errors import KampError
from kamp_lib.fleet import Batch, find_batch, list_batches
from kamp_lib.hub.jobs import JobLimits
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, Tenant, tenant_named

Run = Callable[..., Batch]


def test_every_company_and_data_set_is_run(workers: Instead, batch: Run) -> None:
    workers(machines=("m1", "m2"))
    done = batch()
    assert done.status == "finished"
    assert [o.status for o in done.outcomes] == ["succeeded"] * 4
    for slug in ("acme", "bolt"):
        assert machines_done(tenant_named(slug)) == ["m1", "m2"]


def test_what_has_been_done_is_not_done_again(workers: Instead, batch: Run) -> None:
    batch("acme")
    again = batch("acme")
    assert [o.status for o in again.outcomes] == ["known"]
    assert again.outcomes[0].said.en.startswith("already done")
    assert machines_done(tenant_named("acme")) == ["m1"]


def test_a_worker_does_a_companys_runs_one_after_the_other(
    workers: Instead, batch: Run, acme: Tenant
) -> None:
    note = (
        "open('/workspace/data/pids', 'a').write(f'{os.getpid()} {time.time_ns()}\\n')"
    )
    workers(f"{note}\ntime.sleep(.05)", ("m1", "m2", "m3"))
    batch("acme")
    pids = {line.split()[0] for line in (acme.data / "pids").read_text().splitlines()}
    assert len(pids) == 1


def test_a_company_with_much_to_do_gets_a_second_worker(
    workers: Instead, batch: Run, acme: Tenant
) -> None:
    note = "open('/workspace/data/pids', 'a').write(f'{time.time_ns()} {id(say)}\\n')"
    workers(f"{note}\ntime.sleep(.1)", tuple(f"m{n}" for n in range(8)))
    done = batch("acme")
    assert done.count("succeeded") == 8
    assert {o.where for o in done.outcomes} == {""}


def test_a_killed_worker_is_bad_luck_once(workers: Instead, batch: Run) -> None:
    once = (
        "flag = runs.parent / 'data' / 'flag'\n"
        "if not flag.exists():\n    flag.touch(); os.kill(os.getpid(), 9)"
    )
    workers(once)
    done = batch("acme")
    assert [(o.status, o.attempts) for o in done.outcomes] == [("succeeded", 2)]


def test_a_worker_that_is_killed_again_is_a_failure_that_touches_nobody_else(
    workers: Instead, batch: Run
) -> None:
    workers("if os.path.exists('/workspace/data/bad'): os.kill(os.getpid(), 9)")
    (tenant_named("acme").data / "bad").touch()
    done = batch()
    assert [(o.status, o.attempts) for o in of(done, "acme")] == [("failed", 2)]
    assert "메모리" in of(done, "acme")[0].said.ko
    assert [o.status for o in of(done, "bolt")] == ["succeeded"]


def test_a_worker_that_never_answers_is_ended(
    workers: Instead, batch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.hub.workers.GRACE_S", 0.3)
    monkeypatch.setattr("kamp_lib.fleet.perform.ATTEMPTS", 1)
    workers("time.sleep(600)")
    done = batch("acme", limits=JobLimits(run_s=1))
    assert [o.status for o in done.outcomes] == ["failed"]
    assert "제한 시간" in done.outcomes[0].said.ko


def test_refused_data_are_not_tried_again(workers: Instead, batch: Run) -> None:
    told = "{'ko': '열이 없습니다', 'en': 'no column'}"
    workers(f"say(failed={told}, exit_status=1); continue")
    done = batch("acme")
    assert [(o.status, o.attempts) for o in done.outcomes] == [("refused", 1)]
    assert done.outcomes[0].said.ko == "열이 없습니다"


def test_a_failed_run_is_told_with_its_reason(workers: Instead, batch: Run) -> None:
    reason = "{'ko': '금형이 없습니다', 'en': 'no mould'}"
    more = f"status='failed', verdict=None, reason={reason}"
    workers(f"say(result=bundle(machine, {more})); continue")
    done = batch("acme")
    assert [(o.status, o.attempts) for o in done.outcomes] == [("failed", 1)]
    assert done.outcomes[0].said.ko == "금형이 없습니다"
    assert done.outcomes[0].run is not None


def test_a_dead_kernel_is_tried_once_more(workers: Instead, batch: Run) -> None:
    from kamp_lib.runs.execute import DEAD_KERNEL

    more = f"status='failed', verdict=None, reason={DEAD_KERNEL.model_dump()!r}"
    workers(f"say(result=bundle(machine, {more})); continue")
    assert [o.attempts for o in batch("acme").outcomes] == [2]


@pytest.mark.parametrize("name", ["../../bolt/runs/x", "/etc/passwd", "nothing"])
def test_a_run_that_is_not_the_companys_is_not_believed(
    workers: Instead, batch: Run, name: str
) -> None:
    workers(f"say(result={name!r}); continue")
    assert [o.status for o in batch("acme").outcomes] == ["failed"]


@pytest.mark.parametrize(
    ("deed", "told"), [("suspend", "중지된"), ("remove_sme", "삭제된")]
)
def test_a_company_that_goes_in_the_middle_is_told_and_the_others_go_on(
    workers: Instead, batch: Run, registry: Registry, deed: str, told: str
) -> None:
    plan = plan_of(registry)
    getattr(registry, deed)("acme")
    done = run(plan, registry)
    assert [o.status for o in of(done, "acme")] == ["refused"]
    assert told in of(done, "acme")[0].said.ko
    assert [o.status for o in of(done, "bolt")] == ["succeeded"]


def test_a_suspended_company_is_left_out_unless_it_is_named(
    workers: Instead, batch: Run, registry: Registry
) -> None:
    registry.suspend("acme")
    assert of(batch(), "acme") == []
    assert [o.status for o in of(batch("acme"), "acme")] == ["refused"]


@pytest.mark.parametrize("name", ["../../../bolt/x", "/etc/passwd", "x" * 500, "a b"])
def test_what_is_no_name_of_a_data_set_is_not_believed(
    workers: Instead, registry: Registry, name: str
) -> None:
    workers(machines=(name,))
    assert plan_of(registry, "acme").orders == []


def test_a_companys_words_are_shown_short_and_harmless(
    workers: Instead, batch: Run
) -> None:
    told = "{'ko': '\\x1b[2J' + '가' * 9000, 'en': 'x'}"
    workers(f"say(failed={told}, exit_status=1); continue")
    said = batch("acme").outcomes[0].said.ko
    assert "\x1b" not in said
    assert len(said) < 700


def test_two_batches_at_once_do_no_run_twice(
    workers: Instead, registry: Registry, acme: Tenant, tmp_path: Path
) -> None:
    workers(
        "if machine in known():\n"
        "    say(result='20261126-000000-injection-quality-aaaaaa', known=True); continue\n"
        "time.sleep(.3)",
        ("m1", "m2", "m3"),
    )
    from concurrent.futures import ThreadPoolExecutor

    plan = plan_of(registry, "acme")
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: run(plan, registry), range(2)))
    assert machines_done(acme) == ["m1", "m2", "m3"]


BATCH = """
import sys
sys.path.insert(0, {tests!r})
import pytest
from fleet import stand_in
from kamp_lib.fleet import Pool, Wanted, make_plan, run_batch
from kamp_lib.tenancy import open_registry
patch = pytest.MonkeyPatch()
stand_in.instead_of_workers(patch)({behaviour!r}, {machines!r})
registry = open_registry()
with Pool(1) as pool:
    plan = make_plan(registry, Wanted(("acme",)), pool)
    print(run_batch(plan, registry, pool=pool).status)
"""


def batch_process(behaviour: str, machines: tuple[str, ...]) -> subprocess.Popen[str]:
    """A batch in a process of its own, to be killed."""
    source = BATCH.format(
        tests=str(Path(__file__).parents[1]), behaviour=behaviour, machines=machines
    )
    return subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


SLOW_SECOND = (
    "if machine == 'm2':\n"
    "    (runs / '.staging-half').mkdir(); (runs.parent / 'data' / 'on').touch()\n"
    "    try:\n        time.sleep(600)\n"
    "    except KeyboardInterrupt:\n        (runs / '.staging-half').rmdir(); sys.exit(130)"
)


def wait_for(path: Path) -> None:
    ends = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < ends, f"{path} did not appear"
        time.sleep(0.05)


def test_ctrl_c_ends_cleanly_with_the_outcomes_so_far(acme: Tenant) -> None:
    process = batch_process(SLOW_SECOND, ("m1", "m2", "m3"))
    wait_for(acme.data / "on")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "stopped"
    done = find_batch()
    assert done.status == "stopped"
    assert sorted(o.status for o in done.outcomes) == [
        "stopped",
        "stopped",
        "succeeded",
    ]
    assert done.report.is_file()
    assert not (acme.runs / ".staging-half").exists()


def test_a_killed_batch_leaves_no_worker_and_says_what_it_did(
    acme: Tenant, workers: Instead, batch: Run
) -> None:
    process = batch_process(SLOW_SECOND, ("m1", "m2", "m3"))
    wait_for(acme.data / "on")
    process.kill()
    process.wait()
    assert gone()
    killed = list_batches()[0]
    assert killed.status == "killed"
    assert [order.dataset for order in killed.waiting][-2:] == ["m2", "m3"]
    assert left_of_jobs() != []
    workers(machines=("m1", "m2", "m3"))
    assert sorted(o.status for o in batch("acme").outcomes) == [
        *("known", "succeeded", "succeeded"),
    ]
    assert left_of_jobs() == []


def left_of_jobs() -> list[Path]:
    return list((settings().home / "hub" / "run").glob("*/job-*"))


def inside_processes() -> list[str]:
    """Stand-ins that are alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"-IS" in words and any(b".staging-half" in word for word in words):
            found.append(folder.name)
    return found


def gone() -> bool:
    ends = time.monotonic() + 10
    while inside_processes():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def test_a_batch_is_found_by_the_start_of_its_name(
    workers: Instead, batch: Run
) -> None:
    done = batch("acme")
    assert find_batch(done.id[:16]).id == done.id
    with pytest.raises(KampError, match="배치"):
        find_batch("nothing")


def test_a_record_that_is_damaged_hides_no_other(workers: Instead, batch: Run) -> None:
    done = batch("acme")
    other = done.folder.with_name("20990101-000000-ffffff")
    other.mkdir()
    (other / "batch.json").write_text("{")
    assert [b.id for b in list_batches()] == [done.id]


def test_the_platforms_folder_of_batches_is_closed_to_others(
    workers: Instead, batch: Run
) -> None:
    assert batch("acme").folder.stat().st_mode & 0o077 == 0
    assert (
        json.loads((find_batch().folder / "batch.json").read_text())["status"]
        == "finished"
    )
    assert os.path.exists(stand_in.__file__)
