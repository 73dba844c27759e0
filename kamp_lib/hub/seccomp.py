"""System calls that no program of a company needs: the filter that answers "no" to them.

The filter is written by libseccomp (through pyseccomp) and loaded by bubblewrap as the
last thing before the server starts; everything that the server starts inherits it.
"""

from __future__ import annotations

import errno
import tempfile
from functools import cache
from typing import Any

# New namespaces would bring new capabilities; mounts would change what can be seen.
NAMESPACES = ("unshare", "setns")
MOUNTS = (
    *("mount", "umount", "umount2", "pivot_root", "chroot", "move_mount"),
    *("open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    "open_tree_attr",
)
# Other processes' memory and descriptors; handles that step over folders' permissions.
OTHERS = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"),
    *("name_to_handle_at", "open_by_handle_at", "fanotify_init"),
)
# Parts of the kernel that have been the way out of many a sandbox.
KERNEL = (
    *("add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module"),
    *("delete_module", "create_module", "query_module", "get_kernel_syms"),
    *("lookup_dcookie", "nfsservctl", "uselib", "vm86", "vm86old", "modify_ldt"),
    *("move_pages", "migrate_pages", "ioperm", "iopl", "sysfs", "_sysctl", "ustat"),
)
# The machine itself.
MACHINE = (
    *("swapon", "swapoff", "reboot", "acct", "quotactl", "quotactl_fd", "syslog"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime"),
    *("sethostname", "setdomainname", "vhangup"),
)
DENIED = (*NAMESPACES, *MOUNTS, *OTHERS, *KERNEL, *MACHINE)
# Libraries fall back by themselves when these do not exist. The arguments of clone3 lie
# in memory, where a filter cannot see them.
ABSENT = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register")
# Calls that an older libseccomp does not know by name; their numbers are the same on
# every processor.
NUMBERS = {
    **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    **{"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431},
    **{"fsmount": 432, "fspick": 433, "clone3": 435, "pidfd_getfd": 438},
    **{"mount_setattr": 442, "quotactl_fd": 443, "open_tree_attr": 467},
}

CLONE_NEW = (
    *(0x00000080, 0x00020000, 0x02000000, 0x04000000),  # time, mount, cgroup, uts
    *(0x08000000, 0x10000000, 0x20000000, 0x40000000),  # ipc, user, pid, net
)
# Typing into the terminal of whoever started the server.
TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
NETLINK_ROUTE = 0  # the list of network interfaces
# From "addresses are not random" up; all bits together only ask.
ODD_PERSONALITY_BITS = range(18, 28)
TOP_BIT = 0x80000000
LOW_32 = 0xFFFFFFFF


def available() -> bool:
    """Whether libseccomp is on this machine."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError):
        return False
    return True


@cache
def program() -> bytes:
    """The filter as the kernel takes it."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    no = pyseccomp.ERRNO(errno.EPERM)
    for name in DENIED:
        _deny(rules, no, name)
    for name in ABSENT:
        _deny(rules, pyseccomp.ERRNO(errno.ENOSYS), name)
    for flag in CLONE_NEW:
        argument = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag)
        _deny(rules, no, "clone", argument)
    for request in TERMINAL:
        # the kernel looks at 32 bits only, and so must we
        argument = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_32, request)
        _deny(rules, no, "ioctl", argument)
    _deny_personalities(rules, no)
    _deny_sockets(rules)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _deny_personalities(rules: Any, no: int) -> None:
    """Those that switch protections of memory off."""
    import pyseccomp

    for bit in range(31):
        mask = TOP_BIT | 1 << bit
        denied = [TOP_BIT]  # the top bit without all the others
        if bit in ODD_PERSONALITY_BITS:
            denied.append(1 << bit)
        for value in denied:
            argument = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, mask, value)
            _deny(rules, no, "personality", argument)


def _deny_sockets(rules: Any) -> None:
    """Sockets of every family that people do not use."""
    import pyseccomp

    kept = (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)
    unknown = pyseccomp.ERRNO(errno.EAFNOSUPPORT)
    for family in range(AF_NETLINK):
        if family not in kept:
            _deny(rules, unknown, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    _deny(rules, unknown, "socket", pyseccomp.Arg(0, pyseccomp.GT, AF_NETLINK))
    _deny(
        rules,
        pyseccomp.ERRNO(errno.EPROTONOSUPPORT),
        "socket",
        pyseccomp.Arg(0, pyseccomp.EQ, AF_NETLINK),
        pyseccomp.Arg(2, pyseccomp.NE, NETLINK_ROUTE),
    )


def _deny(rules: Any, action: int, name: str, *arguments: Any) -> None:
    """Answer `name` with `action`; a call that this processor never had needs no rule."""
    import pyseccomp

    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    if number < 0:
        number = NUMBERS.get(name, number)
    if number >= 0:
        rules.add_rule(action, number, *arguments)
