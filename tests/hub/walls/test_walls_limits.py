"""Attacks by appetite: processes, memory, processors, shared memory."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from hub.walls.walled import Grounds

from kamp_lib.hub import cgroups
from kamp_lib.tenancy import Plan

SMALL = Plan("small", memory_mb=96, cpus=0.5, processes=24, disk_gb=1, servers=2)
FORK_BOMB = """
import time
made = 0
try:
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
except OSError as error:
    result = [errno.errorcode[error.errno], made]
else:
    result = ["ok", made]
"""
MEMORY_BOMB = """
kept = []
for _ in range(64):
    kept.append(bytearray(os.urandom(1) * 8 * 2**20))
result = len(kept)
"""


@pytest.fixture
def groups(grounds: Grounds) -> cgroups.Groups:
    if not grounds.as_root:
        pytest.skip("nobody gave this user control groups")
    found = cgroups.find()
    if found is None:
        pytest.skip("no control groups on this machine")
    return found


@pytest.fixture
def neighbour(grounds: Grounds) -> Iterator[subprocess.Popen[bytes]]:
    """Another server of the same company, which has to live on."""
    source = "import time; print('up', flush=True); time.sleep(60)"
    process = grounds.start(
        grounds.profile(server="bob", source=source, plan=SMALL),
        limited=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()
    cgroups.remove("acme", "bob")


def test_a_fork_bomb_ends_at_its_servers_limit(
    grounds: Grounds, groups: cgroups.Groups, neighbour: subprocess.Popen[bytes]
) -> None:
    walled = grounds.profile(source=FORK_BOMB, plan=SMALL)
    error, made = grounds.inside(walled, limited=True).result
    assert error == "EAGAIN"
    assert made < SMALL.processes
    assert neighbour.poll() is None


def test_without_control_groups_a_fork_bomb_ends_at_its_users_limit(
    grounds: Grounds,
) -> None:
    walled = grounds.profile(source=FORK_BOMB, plan=SMALL)
    error, made = grounds.inside(walled).result
    assert error == "EAGAIN"
    assert made <= SMALL.processes * SMALL.servers


def test_without_any_limit_a_fork_bomb_goes_on(grounds: Grounds) -> None:
    def unlimited(argv: list[str]) -> list[str]:
        return [word for word in argv if not word.startswith("--nproc=")]

    walled = grounds.profile(source=FORK_BOMB, plan=SMALL)
    assert grounds.inside(walled, without=unlimited).result == ["ok", 400]


def test_a_memory_bomb_is_killed_and_the_others_live_on(
    grounds: Grounds, groups: cgroups.Groups, neighbour: subprocess.Popen[bytes]
) -> None:
    walled = grounds.profile(source=MEMORY_BOMB, plan=SMALL)
    assert grounds.inside(walled, limited=True).status == 128 + 9
    assert neighbour.poll() is None


def test_without_a_limit_a_memory_bomb_goes_on(
    grounds: Grounds, groups: cgroups.Groups
) -> None:
    walled = grounds.profile(source=MEMORY_BOMB, plan=SMALL)
    assert grounds.inside(walled).result == 64


def test_a_kernel_that_takes_too_much_dies_and_its_server_lives(
    grounds: Grounds, groups: cgroups.Groups
) -> None:
    source = f"""
    import subprocess
    bomb = {MEMORY_BOMB!r}
    result = subprocess.run([sys.executable, "-IS", "-c", "import os" + bomb]).returncode
    """
    walled = grounds.profile(source=source, plan=SMALL)
    assert grounds.inside(walled, limited=True).result == -9


def test_without_control_groups_a_memory_bomb_meets_its_own_limit(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "find", lambda: None)
    walled = grounds.profile(source=MEMORY_BOMB, plan=SMALL)
    outcome = grounds.inside(walled)
    assert outcome.status == 1
    assert "MemoryError" in outcome.err


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/home/ann"])  # noqa: S108
def test_private_folders_in_memory_count_as_memory(
    grounds: Grounds, groups: cgroups.Groups, folder: str
) -> None:
    source = f"""
    with open("{folder}/fill", "wb") as file:
        for _ in range(40):
            file.write(os.urandom(1) * 8 * 2**20)
    result = "filled"
    """
    walled = grounds.profile(source=source, plan=SMALL)
    outcome = grounds.inside(walled, limited=True)
    assert "filled" not in outcome.out


def test_shared_memory_is_full_at_its_size(grounds: Grounds) -> None:
    source = """
    def fill():
        with open("/dev/shm/fill", "wb") as file:
            file.truncate(2**20)
            os.posix_fallocate(file.fileno(), 0, 600 * 2**20)
    result = attempt(fill)[0]
    """
    assert grounds.inside(source).result == "ENOSPC"


def test_a_processor_hog_gets_its_share(
    grounds: Grounds, groups: cgroups.Groups
) -> None:
    source = """
    import time
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() < began + 1.5:
        pass
    result = (time.process_time() - used) / 1.5
    """
    walled = grounds.profile(source=source, plan=SMALL)
    assert grounds.inside(walled, limited=True).result < 0.65


def test_servers_go_before_the_platform_when_memory_ends(grounds: Grounds) -> None:
    source = "result = int(open('/proc/self/oom_score_adj').read())"
    assert grounds.inside(source).result == 300


def test_the_groups_of_a_server_go_when_it_has_ended(
    grounds: Grounds, groups: cgroups.Groups
) -> None:
    walled = grounds.profile(plan=SMALL)
    files = cgroups.enter(walled)
    assert all(file.exists() for file in files)
    assert (files[0].parents[1]).exists()
    cgroups.remove("acme", "ann")
    assert not any(file.parents[2].exists() for file in files)


def test_groups_can_be_made_again_with_other_limits(
    grounds: Grounds, groups: cgroups.Groups
) -> None:
    larger = Plan("large", memory_mb=300, cpus=2, processes=100, disk_gb=1, servers=2)
    for plan in (SMALL, larger, SMALL):
        walled = grounds.profile(plan=plan)
        assert cgroups.enter(walled)
    cgroups.remove("acme", "ann")
