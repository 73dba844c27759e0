"""Attacks on files: what code of one company can reach of others, the hub, the system."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hub.walls.walled import MARK, Grounds, both, dropped, mounting

from kamp_lib.hub.bubblewrap import python_folders
from kamp_lib.hub.profile import Kind

FIND_MARK = """
found = []
for folder, names, files in os.walk("/"):
    names[:] = [n for n in names if (folder, n) != ("/", "proc")]
    for name in files:
        if name in ("secret.txt", "platform.db", "hub.sqlite"):
            found.append(os.path.join(folder, name))
result = found
"""


def test_nothing_of_another_company_or_the_platform_lies_anywhere(
    grounds: Grounds,
) -> None:
    assert grounds.inside(FIND_MARK).result == []


def test_the_search_finds_the_other_company_when_kamp_home_is_mounted(
    grounds: Grounds,
) -> None:
    seen = mounting("--ro-bind", str(grounds.home), "/mnt")
    found = grounds.inside(grounds.profile(source=FIND_MARK), without=seen).result
    assert "/mnt/platform.db" in found


@pytest.mark.parametrize(
    "path",
    [
        "{home}/tenants/bolt/data/secret.txt",
        "/workspace/../tenants/bolt/data/secret.txt",
        "/workspace/data/../../../bolt/data/secret.txt",
        "/proc/1/root{home}/tenants/bolt/data/secret.txt",
        "/proc/self/cwd/../../bolt/data/secret.txt",
    ],
)
def test_another_companys_file_cannot_be_opened(grounds: Grounds, path: str) -> None:
    source = (
        f"result = attempt(lambda: open({path.format(home=grounds.home)!r}).read())"
    )
    assert grounds.inside(source).result[0] in ("ENOENT", "EACCES")


@pytest.mark.parametrize("place", ["data", "workspace", "runs"])
def test_a_link_into_another_company_leads_nowhere_inside(
    grounds: Grounds, place: str
) -> None:
    goal = grounds.bolt.data / "secret.txt"
    source = f"""
    os.symlink({str(goal)!r}, "/workspace/{place}/link")
    result = attempt(lambda: open("/workspace/{place}/link").read())
    """
    assert grounds.inside(source).result == ["ENOENT", None]
    assert (
        grounds.acme.home / place / "link"
    ).read_text() == MARK  # it was a real link


@pytest.mark.parametrize("place", ["data", "workspace", "runs"])
def test_a_folder_swapped_for_a_link_is_not_mounted(
    grounds: Grounds, place: str
) -> None:
    mine = grounds.acme.home / place
    mine.rmdir()
    mine.symlink_to(grounds.bolt.home / place)
    with pytest.raises(Exception, match="일반 폴더"):
        grounds.inside("result = os.listdir('/workspace')")


def test_the_folders_of_a_company_cannot_be_swapped_from_inside(
    grounds: Grounds,
) -> None:
    source = """
    result = [
        attempt(lambda: os.rename("/workspace/data", "/workspace/old")),
        attempt(lambda: os.rmdir("/workspace/data")),
        attempt(lambda: os.symlink("/", "/workspace/new")),
    ]
    """
    errors = {error for error, _ in grounds.inside(source).result}
    assert errors <= {"EBUSY", "EROFS", "EACCES", "EXDEV"}


def test_a_file_cannot_be_hard_linked_into_another_folder(grounds: Grounds) -> None:
    source = """
    open("/workspace/data/mine", "w").close()
    result = [
        attempt(lambda: os.link("/workspace/tenant.toml", "/workspace/data/toml")),
        attempt(lambda: os.link("/workspace/data/mine", "/workspace/runs/mine")),
        attempt(lambda: os.link("/workspace/data/mine", "/workspace/data/twin")),
    ]
    """
    across = grounds.inside(source).result
    assert [error for error, _ in across] == ["EXDEV", "EXDEV", "ok"]


@pytest.mark.parametrize(
    "deed",
    [
        "open('/workspace/tenant.toml', 'a').write('x')",
        "os.replace('/workspace/data', '/workspace/tenant.toml')",
        "os.unlink('/workspace/tenant.toml')",
        "os.chmod('/workspace/tenant.toml', 0o777)",
        "open('/workspace/published/report', 'w')",
        "os.unlink('/workspace/published/secret.txt')",
        "os.mkdir('/workspace/another')",
    ],
)
def test_what_the_platform_wrote_cannot_be_changed(grounds: Grounds, deed: str) -> None:
    (grounds.acme.published / "secret.txt").write_text("released")
    error, _ = grounds.inside(f"result = attempt(lambda: {deed})").result
    assert error in ("EROFS", "EACCES", "EPERM", "EBUSY", "EXDEV", "ENOTDIR")
    assert "acme" in (grounds.acme.home / "tenant.toml").read_text()


@pytest.mark.parametrize("place", ["data", "workspace", "runs"])
def test_a_company_writes_its_own_folders(grounds: Grounds, place: str) -> None:
    source = f"result = attempt(lambda: open('/workspace/{place}/new', 'w').write('x'))"
    assert grounds.inside(source).result == ["ok", 1]
    assert (grounds.acme.home / place / "new").read_text() == "x"


def test_what_a_company_writes_is_its_own_users(grounds: Grounds) -> None:
    walled = grounds.profile(source="open('/workspace/data/new', 'w').close()")
    grounds.inside(walled)
    owner = (grounds.acme.data / "new").stat().st_uid
    assert owner == (walled.uid if grounds.as_root else owner)
    assert owner != 0 or os.geteuid() != 0


def test_another_companys_user_cannot_enter_even_without_the_sandbox(
    grounds: Grounds,
) -> None:
    if not grounds.as_root:
        pytest.skip("an ordinary user's hub has one owner for all files")
    grounds.inside(grounds.profile())
    assert (grounds.home / "tenants").stat().st_mode & 0o077 == 0
    (grounds.home / "tenants").chmod(0o755)  # as if that door stood open, too
    bolt = grounds.profile(grounds.bolt)
    who = [f"--reuid={bolt.uid}", f"--regid={bolt.uid}", "--clear-groups"]
    done = subprocess.run(
        ["setpriv", *who, "ls", str(grounds.acme.data)],
        capture_output=True,
        check=False,
    )
    assert b"Permission denied" in done.stderr


@pytest.mark.parametrize(
    "target",
    [
        "{prefix}/lib/evil.pth",
        "{prefix}/bin/python-evil",
        "{package}/evil.py",
        "/usr/lib/evil",
        "/etc/evil",
        "/evil",
        "/dev/evil",
        "/run/kamp/hub/hub.sock",
    ],
)
def test_the_programs_and_the_system_cannot_be_written(
    grounds: Grounds, target: str
) -> None:
    import sys

    import kamp_lib

    path = target.format(prefix=sys.prefix, package=Path(kamp_lib.__file__).parent)
    error, _ = grounds.inside(f"result = attempt(lambda: open({path!r}, 'w'))").result
    assert error in ("EROFS", "EACCES")


def test_the_checkout_is_not_seen_but_for_the_package(grounds: Grounds) -> None:
    checkout = Path(__file__).resolve().parents[3]
    seen = set(grounds.inside(f"result = os.listdir({str(checkout)!r})").result)
    assert seen <= {"kamp_lib", "templates", "notebooks", ".venv"}


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/etc/ssh", "/sys", "/boot", "/var/log"]
)
def test_what_describes_the_machine_is_not_there(grounds: Grounds, path: str) -> None:
    source = f"result = attempt(lambda: os.stat({path!r}).st_mode)"
    assert grounds.inside(source).result == ["ENOENT", None]


def test_accounts_of_the_machine_are_not_named(grounds: Grounds) -> None:
    source = "import pwd; result = [entry.pw_name for entry in pwd.getpwall()]"
    assert grounds.inside(source).result == ["ann", "nobody"]


def test_a_report_server_sees_released_reports_only(grounds: Grounds) -> None:
    source = "result = sorted(os.listdir('/workspace'))"
    report = grounds.profile(kind=Kind.REPORT, server="report", source=source)
    assert grounds.inside(report).result == ["published", "tenant.toml"]


def test_a_report_server_writes_nothing_of_the_company(grounds: Grounds) -> None:
    source = """
    result = [
        attempt(lambda: open(f"/workspace/{place}new", "w"))
        for place in ("", "published/", "data/")
    ]
    """
    report = grounds.profile(kind=Kind.REPORT, server="report", source=source)
    errors = [error for error, _ in grounds.inside(report).result]
    assert set(errors) <= {"EROFS", "EACCES", "ENOENT"}


def test_private_folders_end_with_the_server(grounds: Grounds) -> None:
    write = "[open(f'{d}/x', 'w').close() for d in ('/tmp', '/home/ann', '/dev/shm')]"
    read = "result = [os.listdir(d) for d in ('/tmp', '/home/ann', '/dev/shm')]"
    grounds.inside(write)
    tmp, home, shared = grounds.inside(read).result
    assert set(tmp) <= installed_below_tmp()
    assert (home, shared) == ([], [])


def installed_below_tmp() -> set[str]:
    """Names in /tmp that are there because Python or the checkout lies below it."""
    tmp = Path("/tmp")  # noqa: S108 - the sandbox's own
    below = [folder for folder in python_folders() if folder.is_relative_to(tmp)]
    return {folder.relative_to(tmp).parts[0] for folder in below}


def test_a_home_inside_what_all_companies_see_is_refused(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_TEMPLATES", str(grounds.home.parent))
    with pytest.raises(Exception, match="모든 기업에 보이는"):
        grounds.inside("pass")


def test_without_the_private_tmp_the_machines_would_be_seen(grounds: Grounds) -> None:
    if installed_below_tmp():
        pytest.skip("without it Python itself would not be reached here")
    size = str(2048 * 2**20)
    tmpfs = ("--perms", "1777", "--size", size, "--tmpfs", "/tmp")  # noqa: S108

    machines = mounting("--bind", "/tmp", "/tmp")  # noqa: S108
    source = "result = os.listdir('/tmp')"
    walled = grounds.profile(source=source)
    seen = grounds.inside(walled, without=both(dropped(*tmpfs), machines)).result
    assert grounds.home.name in seen
    assert set(grounds.inside(walled).result) <= installed_below_tmp()


def test_templates_below_tmp_are_not_hidden_by_the_private_tmp(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = grounds.home.with_name(f"{grounds.home.name}-templates")
    place.mkdir()
    (place / "page").write_text("x")
    place.chmod(0o755)
    monkeypatch.setenv("KAMP_TEMPLATES", str(place))
    try:
        source = f"result = os.listdir({str(place)!r})"
        assert grounds.inside(source).result == ["page"]
    finally:
        shutil.rmtree(place)


def test_what_root_wrote_on_the_host_becomes_the_companys(grounds: Grounds) -> None:
    if not grounds.as_root:
        pytest.skip("nobody is root here")
    (grounds.acme.data / "deep").mkdir()
    (grounds.acme.data / "deep" / "file").write_text("from the host")
    source = (
        "result = attempt(lambda: open('/workspace/data/deep/file', 'a').write('x'))"
    )
    assert grounds.inside(source).result == ["ok", 1]


def test_handing_over_gives_away_nothing_that_a_link_leads_to(grounds: Grounds) -> None:
    if not grounds.as_root:
        pytest.skip("nobody is root here")
    (grounds.acme.data / "link").symlink_to(grounds.home / "platform.db")
    (grounds.acme.data / "folder").symlink_to(grounds.bolt.home)
    grounds.inside("pass")
    assert (grounds.home / "platform.db").stat().st_uid == 0
    assert (grounds.bolt.home / "tenant.toml").stat().st_uid == 0
    assert (grounds.acme.data / "link").lstat().st_uid != 0  # the link itself
