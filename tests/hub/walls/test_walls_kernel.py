"""Attacks on the kernel: calls that a company's program has no business with."""

from __future__ import annotations

import json
import platform
import signal

import pytest
from hub.walls.walled import Grounds, Outcome, dropped

from kamp_lib.hub import seccomp

pyseccomp = pytest.importorskip("pyseccomp")

CLONE_NEWUSER = 0x10000000
NEW_NAMESPACES = {
    "user": CLONE_NEWUSER,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
    "time": 0x00000080,
}


def number(name: str) -> int:
    found = int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))
    return found if found >= 0 else seccomp.NUMBERS.get(name, -1)


def unfiltered(grounds: Grounds, source: str) -> Outcome:
    """Without the filter, as on a machine that has no libseccomp."""
    walled = grounds.profile(source=source)
    return grounds.inside(walled, without=dropped("--seccomp", "3"))


def test_every_call_on_the_list_is_refused(grounds: Grounds) -> None:
    numbers = {name: number(name) for name in seccomp.DENIED if number(name) >= 0}
    assert len(numbers) > 40
    # -1 is no address and no descriptor: a call that is let through fails otherwise
    source = f"""
    calls = json.loads({json.dumps(numbers)!r})
    # vhangup and the like take no argument that could be wrong: refused all the same
    result = {{name: attempt(lambda: call(n, -1, -1, -1, -1, -1, -1))[0]
              for name, n in calls.items()}}
    """
    answers = grounds.inside(source).result
    assert {name: error for name, error in answers.items() if error != "EPERM"} == {}


def test_calls_that_libraries_do_without_do_not_exist(grounds: Grounds) -> None:
    numbers = {name: number(name) for name in seccomp.ABSENT}
    source = f"""
    calls = json.loads({json.dumps(numbers)!r})
    result = {{name: attempt(lambda: call(n, 0, 0))[0] for name, n in calls.items()}}
    """
    assert set(grounds.inside(source).result.values()) == {"ENOSYS"}
    assert set(unfiltered(grounds, source).result.values()) != {"ENOSYS"}


@pytest.mark.parametrize("kind", NEW_NAMESPACES)
def test_no_new_namespace_can_be_made(grounds: Grounds, kind: str) -> None:
    flags = NEW_NAMESPACES[kind]
    source = f"""
    def cloned():
        child = call({number("clone")}, {flags} | 17, 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    result = [attempt(lambda: call({number("unshare")}, {flags})), attempt(cloned)]
    """
    assert [error for error, _ in grounds.inside(source).result] == ["EPERM", "EPERM"]


def test_without_the_filter_roots_hub_would_allow_new_user_namespaces(
    grounds: Grounds,
) -> None:
    source = f"result = attempt(lambda: call({number('unshare')}, {CLONE_NEWUSER}))"
    expected = "ok" if grounds.as_root else "ENOSPC"  # there, bwrap allows no more
    assert unfiltered(grounds, source).result[0] == expected


def test_a_plain_child_can_be_cloned(grounds: Grounds) -> None:
    source = f"""
    def cloned():
        child = call({number("clone")}, 17, 0, 0, 0, 0)
        if child == 0:
            os._exit(5)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    result = attempt(cloned)
    """
    assert grounds.inside(source).result == ["ok", 5]


@pytest.mark.parametrize("high", [0, 1 << 32, 0xABCD << 40])
def test_typing_into_a_terminal_is_refused_however_it_is_asked(
    grounds: Grounds, high: int
) -> None:
    source = f"""
    import pty
    control, terminal = pty.openpty()
    result = [attempt(lambda: call({number("ioctl")}, terminal, request | {high}, 0))[0]
              for request in (0x5412, 0x541C)]
    """
    assert grounds.inside(source).result == ["EPERM", "EPERM"]


def test_typing_into_ones_own_terminal_works_without_the_filter(
    grounds: Grounds,
) -> None:
    source = """
    import fcntl, pty
    pid, control = pty.fork()
    if pid == 0:
        try:
            fcntl.ioctl(0, 0x5412, b"i")
        except OSError:
            os._exit(1)
        os._exit(0)
    result = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    """
    with open("/proc/sys/dev/tty/legacy_tiocsti") as file:
        allowed = file.read().strip() == "1"
    assert grounds.inside(source).result == 1
    assert unfiltered(grounds, source).result == (0 if allowed else 1)


def test_sockets_of_other_families_do_not_exist(grounds: Grounds) -> None:
    source = f"""
    result = {{family: attempt(lambda: os.close(call({number("socket")}, family, 3, 0)))[0]
              for family in list(range(64)) + [1 << 32, (1 << 32) | 1, 1 << 63]}}
    """
    answers = grounds.inside(source).result
    kept = {"1", "2", "10", "16"}
    refused = {error for family, error in answers.items() if family not in kept}
    assert refused == {"EAFNOSUPPORT"}


def test_netlink_gives_the_list_of_networks_and_nothing_else(grounds: Grounds) -> None:
    source = f"""
    result = [attempt(lambda: os.close(call({number("socket")}, 16, 3, protocol)))[0]
              for protocol in range(22)]
    """
    first, *others = grounds.inside(source).result
    assert first == "ok"
    assert set(others) == {"EPROTONOSUPPORT"}


@pytest.mark.parametrize("persona", [0x0040000, 0x0400000, 0x0100000, 0x80040000])
def test_protections_of_memory_cannot_be_switched_off(
    grounds: Grounds, persona: int
) -> None:
    source = f"result = attempt(lambda: call({number('personality')}, {persona}))"
    assert grounds.inside(source).result == ["EPERM", None]
    assert unfiltered(grounds, source).result[0] == "ok"


def test_asking_for_the_personality_works(grounds: Grounds) -> None:
    source = f"result = attempt(lambda: call({number('personality')}, 0xFFFFFFFF))"
    assert grounds.inside(source).result == ["ok", 0]


def test_another_process_cannot_be_traced_even_ones_own(grounds: Grounds) -> None:
    source = f"""
    import time
    child = os.fork()
    if child == 0:
        time.sleep(30)
    attach = 0x4206  # PTRACE_SEIZE
    result = attempt(lambda: call({number("ptrace")}, attach, child, 0, 0))[0]
    os.kill(child, 9)
    """
    assert grounds.inside(source).result == "EPERM"
    assert unfiltered(grounds, source).result == "ok"


def test_keys_of_the_machine_are_neither_listed_nor_made(grounds: Grounds) -> None:
    source = f"""
    result = [attempt(lambda: open("/proc/keys").read())[0],
              attempt(lambda: call({number("keyctl")}, 0, -3, 0))[0]]
    """
    listed, asked = grounds.inside(source).result
    assert listed in ("EACCES", "ENOENT")
    assert asked == "EPERM"


@pytest.mark.parametrize(
    "deed",
    [
        "os.mknod('/workspace/data/disk', 0o60666, os.makedev(254, 0))",
        "os.mknod('/tmp/memory', 0o20666, os.makedev(1, 1))",
        "open('/dev/vda', 'rb')",
        "open('/dev/sda', 'rb')",
        "open('/dev/mem', 'rb')",
        "open('/dev/kmsg', 'rb')",
        "open('/dev/kvm', 'rb')",
        "open('/dev/fuse', 'rb')",
        "open('/dev/core', 'rb')",
        "open('/proc/kcore', 'rb')",
        "open('/proc/sysrq-trigger', 'w')",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "open('/proc/sys/kernel/hostname', 'w')",
        "os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000')",
        "os.write(os.open('/proc/self/setgroups', os.O_WRONLY), b'allow')",
        "os.chroot('/tmp')",
        "os.sethostname('x') if hasattr(os, 'sethostname') else open('/no')",
    ],
)
def test_devices_and_levers_of_the_machine_are_out_of_reach(
    grounds: Grounds, deed: str
) -> None:
    error, _ = grounds.inside(f"result = attempt(lambda: {deed})").result
    assert error in ("EPERM", "EACCES", "ENOENT", "EROFS")


def test_the_devices_are_those_that_programs_need(grounds: Grounds) -> None:
    source = "result = sorted(os.listdir('/dev'))"
    assert grounds.inside(source).result == [
        *("core", "fd", "full", "null", "ptmx", "pts", "random", "shm"),
        *("stderr", "stdin", "stdout", "tty", "urandom", "zero"),
    ]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have one")
def test_the_calls_of_another_processor_mode_kill(grounds: Grounds) -> None:
    # unshare(CLONE_NEWUSER) as a 32-bit program asks for it: int 0x80
    code = "b8 36 01 00 00 bb 00 00 00 10 cd 80 c3"
    source = f"""
    import ctypes, mmap
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex({code!r}))
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(at)()
    """
    assert grounds.inside(source).status == 128 + signal.SIGSYS


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have none")
def test_the_calls_of_x32_kill(grounds: Grounds) -> None:
    x32 = 0x40000000
    source = (
        f"result = attempt(lambda: call({x32} | {number('unshare')}, {CLONE_NEWUSER}))"
    )
    assert grounds.inside(source).status == 128 + signal.SIGSYS
