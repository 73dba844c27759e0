"""Everything of a company in one file, from a folder that may be hostile."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenancy.desk import CHEAP, Clock

from kamp_lib.datasets import ingest, open_dataset
from kamp_lib.datasets.csv_copies import write_rows
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Role, Tenant, open_registry, tenant_named
from kamp_lib.tenancy.archive import harmless
from kamp_lib.tenancy.export import Exported, export_sme
from kamp_lib.tenancy.hostile import DEEPEST, measure
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.registry import Registry

SHOTS = "shot_id,금형온도,불량\n1,80.5,0\n2,81.0,1\n3,not a number,0\n"


@pytest.fixture
def registry(clock: Clock) -> Iterator[Registry]:
    """A registry with the company `acme`; exports are files, whatever the database."""
    made = open_registry(actor="os:test", passwords=Passwords(CHEAP), now=clock)
    made.add_sme("acme", "에이스", "Acme")
    yield made
    made.close()


@pytest.fixture
def workspace(registry: Registry) -> Path:
    return registry.folder("acme") / "workspace"


def export(registry: Registry, to: Path, **options) -> Exported:
    return export_sme(registry, "acme", to, **options)


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(path: Path) -> dict:
    return json.loads(content(path)["manifest.json"])


def test_every_file_is_in_it_with_its_hash(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "notes").mkdir()
    (workspace / "notes" / "한글 이름.txt").write_text("안녕")
    (registry.folder("acme") / "runs" / "r1").mkdir()
    (registry.folder("acme") / "runs" / "r1" / "run.json").write_text("{}")
    done = export(registry, tmp_path / "acme.zip")
    there = content(done.path)
    assert there["workspace/notes/한글 이름.txt"].decode() == "안녕"
    assert there["runs/r1/run.json"] == b"{}"
    assert (
        there["tenant.toml"] == (registry.folder("acme") / "tenant.toml").read_bytes()
    )
    files = manifest(done.path)["files"]
    assert {entry["path"] for entry in files} == set(there) - {"manifest.json"}
    for entry in files:
        data = there[entry["path"]]
        assert entry["bytes"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()


def test_people_and_audit_are_in_it_without_any_secret(
    registry: Registry, tmp_path: Path
) -> None:
    registry.add_sme("bolt", "볼트")
    registry.add_person(
        "ann", "김안나", email="ann@acme.kr", roles=[("acme", "analyst")]
    )
    first = registry.add_person("carl", "이칼", roles=[("bolt", Role.CONSULTANT)])
    there = content(export(registry, tmp_path / "acme.zip").path)
    assert json.loads(there["people.json"]) == [
        {
            "name": "ann",
            "display_name": "김안나",
            "email": "ann@acme.kr",
            "roles": ["analyst"],
        }
    ]
    actions = [line["action"] for line in json.loads(there["audit.json"])]
    assert actions == ["user.assign", "tenant.add"]
    everything = b"".join(there.values())
    for secret in (b"argon2", b"carl", b"bolt", first.encode()):
        assert secret not in everything


def test_what_an_older_company_of_the_same_name_did_is_not_in_it(
    registry: Registry, clock: Clock, tmp_path: Path
) -> None:
    registry.audit("root-kim", "secret.deed", "acme")
    registry.remove_sme("acme")
    clock.later(days=1)
    registry.add_sme("acme", "다른 에이스")
    there = content(export(registry, tmp_path / "acme.zip").path)
    assert [e["action"] for e in json.loads(there["audit.json"])] == ["tenant.add"]


def test_a_person_finds_out_what_is_what_in_both_languages(
    registry: Registry, tmp_path: Path
) -> None:
    readme = content(export(registry, tmp_path / "a.zip").path)["README.txt"].decode()
    assert readme.startswith("에이스 / Acme")
    for words in (
        "데이터의 주인은 기업",
        "The data belong to the company",
        "DeltaTable",
    ):
        assert words in readme


def test_data_sets_come_as_parquet_and_csv_with_findings_mapping_and_originals(
    registry: Registry, tmp_path: Path
) -> None:
    from deltalake import DeltaTable

    (tmp_path / "shots.csv").write_text(SHOTS, encoding="utf-8")
    tenant = tenant_named("acme")
    result = ingest(tenant, "generic", [tmp_path / "shots.csv"])

    def as_csv(tenant: Tenant, target: Path) -> None:
        with (target / f"{result.dataset}.csv").open("wb") as file:
            write_rows(open_dataset(tenant, result.dataset), file)

    done = export(registry, tmp_path / "acme.zip", csv=as_csv)
    assert (done.skipped, done.without_csv) == ((), None)
    with zipfile.ZipFile(done.path) as archive:
        archive.extractall(tmp_path / "out")
    data = tmp_path / "out" / "data" / result.dataset
    table = DeltaTable(str(data / "table"))
    assert table.to_pyarrow_table().num_rows == result.rows_stored
    assert len(list((data / "originals").iterdir())) == 1
    (told,) = (data / "ingests").glob("*/manifest.json")
    assert {"findings", "mapping", "quality"} <= set(json.loads(told.read_text()))
    csv = (tmp_path / "out" / "csv" / f"{result.dataset}.csv").read_text("utf-8-sig")
    assert csv.count("\n") == result.rows_stored + 1
    assert "금형온도" in csv


def test_a_table_that_cannot_be_read_leaves_the_export_whole_without_its_csv(
    registry: Registry, tmp_path: Path
) -> None:
    def broken(tenant: Tenant, target: Path) -> None:
        (target / "one.csv").write_text("a\n1\n")
        raise KampError("한 표를 읽지 못했습니다", "one table cannot be read")

    done = export(registry, tmp_path / "acme.zip", csv=broken)
    assert done.without_csv is not None
    assert manifest(done.path)["without_csv"]["en"] == "one table cannot be read"
    assert "csv/one.csv" in content(done.path)
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


def test_a_link_is_not_followed_and_told(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("another company's recipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.txt").write_text("another company's recipe")
    (workspace / "file").symlink_to(secret)
    (workspace / "folder").symlink_to(tmp_path / "folder")
    (workspace / "loop").symlink_to(workspace)
    (workspace / "nowhere").symlink_to("/no/such/place")
    done = export(registry, tmp_path / "acme.zip")
    assert b"recipe" not in b"".join(content(done.path).values())
    told = {(s.path, s.reason) for s in done.skipped}
    names = ("file", "folder", "loop", "nowhere")
    assert told == {(f"workspace/{name}", "link") for name in names}
    assert done.lost == []


@pytest.mark.parametrize("part", ["data", "workspace", "runs", "published"])
def test_a_link_in_the_place_of_a_whole_folder_is_not_followed(
    registry: Registry, tmp_path: Path, part: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("another company's recipe")
    folder = registry.folder("acme") / part
    folder.rmdir()
    folder.symlink_to(tmp_path / "other")
    done = export(registry, tmp_path / "acme.zip")
    assert b"recipe" not in b"".join(content(done.path).values())
    assert [(s.path, s.reason) for s in done.skipped] == [(part, "link")]


def test_a_folder_that_becomes_a_link_while_it_is_walked_leads_nowhere(
    registry: Registry, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("another company's recipe")
    (workspace / "sub").mkdir()
    (workspace / "sub" / "x.txt").write_text("own")
    real, swapped = os.open, []

    def swapping_open(path, flags, *args, **options):
        if path == "sub" and swapped.count("sub") < 2:
            swapped.append("sub")
            if len(swapped) == 2:  # measured, and about to be copied
                (workspace / "sub").rename(tmp_path / "moved")
                (workspace / "sub").symlink_to(tmp_path / "other")
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", swapping_open)
    done = export(registry, tmp_path / "acme.zip")
    assert swapped == ["sub", "sub"]
    assert b"recipe" not in b"".join(content(done.path).values())
    assert [(s.path, s.reason) for s in done.skipped] == [("workspace/sub", "link")]


def test_a_file_that_becomes_a_link_while_it_is_walked_leads_nowhere(
    registry: Registry, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("another company's recipe")
    (workspace / "x.txt").write_text("own")
    real = os.open

    def swapping_open(path, flags, *args, **options):
        if path == "x.txt":
            (workspace / "x.txt").unlink()
            (workspace / "x.txt").symlink_to(tmp_path / "secret")
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", swapping_open)
    done = export(registry, tmp_path / "acme.zip")
    assert b"recipe" not in b"".join(content(done.path).values())
    assert [(s.path, s.reason) for s in done.skipped] == [("workspace/x.txt", "link")]


@pytest.mark.timeout(30)
def test_pipes_and_sockets_hold_nobody_up(
    registry: Registry, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(workspace / "pipe")
    monkeypatch.chdir(workspace)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        done = export(registry, tmp_path / "acme.zip")
    told = {(s.path, s.reason) for s in done.skipped}
    assert told == {("workspace/pipe", "special"), ("workspace/socket", "special")}
    assert done.lost == []


@pytest.mark.timeout(30)
def test_a_file_that_becomes_a_pipe_while_it_is_walked_holds_nobody_up(
    registry: Registry, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "x.txt").write_text("own")
    real = os.open

    def swapping_open(path, flags, *args, **options):
        if path == "x.txt":
            (workspace / "x.txt").unlink()
            os.mkfifo(workspace / "x.txt")
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", swapping_open)
    done = export(registry, tmp_path / "acme.zip")
    assert [(s.path, s.reason) for s in done.skipped] == [
        ("workspace/x.txt", "special")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_not_read(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    try:
        os.mknod(workspace / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except OSError:
        pytest.skip("this machine lets nobody make a device")
    done = export(registry, tmp_path / "acme.zip")
    assert [(s.path, s.reason) for s in done.skipped] == [("workspace/zero", "special")]


@pytest.mark.timeout(60)
def test_a_huge_file_of_nothing_is_left_out_and_counts_as_lost(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    with (workspace / "huge").open("wb") as file:
        file.write(b"a little")
        file.truncate(2**42)
    done = export(registry, tmp_path / "acme.zip")
    assert [(s.path, s.reason) for s in done.lost] == [("workspace/huge", "sparse")]
    assert done.path.stat().st_size < 2**20


@pytest.mark.timeout(60)
def test_a_file_with_large_holes_is_left_out_and_counts_as_lost(
    registry: Registry,
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kamp_lib.tenancy.hostile.MOST_NOTHING", 2**20)
    for name, hole in (("large", 2**21), ("small", 2**19)):
        with (workspace / name).open("wb") as file:
            file.seek(hole)
            file.write(b"the end")
    done = export(registry, tmp_path / "acme.zip")
    assert [(s.path, s.reason) for s in done.lost] == [("workspace/large", "sparse")]
    assert content(done.path)["workspace/small"] == b"\0" * 2**19 + b"the end"


def test_a_file_with_a_name_outside_is_left_out_and_counts_as_lost(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    secret = registry.home / "tenants" / "secret.txt"
    secret.write_text("another company's recipe")
    os.link(secret, workspace / "mine.txt")
    os.link(registry.home / "platform.db", workspace / "notes.db")
    done = export(registry, tmp_path / "acme.zip")
    assert b"recipe" not in b"".join(content(done.path).values())
    told = [(s.path, s.reason) for s in done.lost]
    names = ("mine.txt", "notes.db")
    assert told == [(f"workspace/{name}", "linked-outside") for name in names]


def test_a_file_with_several_names_inside_is_there_under_each(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "a.txt").write_text("one")
    os.link(workspace / "a.txt", registry.folder("acme") / "runs" / "b.txt")
    done = export(registry, tmp_path / "acme.zip")
    there = content(done.path)
    assert there["workspace/a.txt"] == there["runs/b.txt"] == b"one"
    assert measure(registry.folder("acme") / "workspace").bytes == 3


def test_a_folder_without_end_is_cut_and_told(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    deep = workspace
    for _ in range(DEEPEST + 5):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "x.txt").write_text("deep")
    done = export(registry, tmp_path / "acme.zip")
    assert [s.reason for s in done.lost] == ["too-deep"]


def test_more_files_than_anybody_makes_end_in_a_sentence_and_no_file(
    registry: Registry, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.tenancy.hostile.MOST_FILES", 10)
    for number in range(20):
        (workspace / str(number)).touch()
    with pytest.raises(KampError, match="10"):
        export(registry, tmp_path / "acme.zip")
    assert list(tmp_path.glob("*.zip*")) == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("보고서 1.ipynb", "보고서 1.ipynb"),
        ("a\nb", "a_xa_b"),
        ("\x1b[2Jx", "_x1b_[2Jx"),
        ("gnp.\u202efdp", "gnp._x202e_fdp"),
        ("C:\\windows\\x", "C_x3a__x5c_windows_x5c_x"),
        ("..\\..\\x", ".._x5c_.._x5c_x"),
        ("nul", "nul_"),
        ("COM1.txt", "COM1.txt_"),
        ("dots...", "dots..._"),
        ("space ", "space _"),
        ("\udcff\udcfe", "_xdcff__xdcfe_"),
    ],
)
def test_a_name_unpacks_to_the_same_place_everywhere(name: str, plain: str) -> None:
    assert harmless(name) == plain
    assert harmless(f"a/{name}/b") == f"a/{plain}/b"


def test_a_long_name_is_cut_and_keeps_its_ending() -> None:
    cut = harmless("가" * 85 + "나" * 85 + ".csv")
    assert len(cut) <= 150
    assert cut.endswith(".csv")
    assert cut != harmless("가" * 85 + "다" * 85 + ".csv")


def test_hostile_names_are_neutral_and_written_down_as_they_were(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    names = [b"a\\..\\b", b"tab\there", b"\xff\xfe", b"<script>alert(1)<", b"con"]
    for name in names:
        (Path(os.fsdecode(os.fsencode(workspace) + b"/" + name))).write_bytes(name)
    done = export(registry, tmp_path / "acme.zip")
    there = content(done.path)
    told = {e["path"]: e.get("original") for e in manifest(done.path)["files"]}
    for name in names:
        plain = harmless(f"workspace/{os.fsdecode(name)}")
        assert there[plain] == name
        assert os.fsencode(told[plain]) == b"workspace/" + name


def test_names_that_some_systems_take_for_the_same_stay_apart(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    import unicodedata

    names = ["README", "readme", "Readme", "한글", unicodedata.normalize("NFD", "한글")]
    for name in names:
        (workspace / name).write_text(name)
    there = content(export(registry, tmp_path / "acme.zip").path)
    mine = {name: data for name, data in there.items() if name.startswith("workspace/")}
    alike = {unicodedata.normalize("NFC", name).casefold() for name in mine}
    assert len(alike) == len(names)
    assert {data.decode() for data in mine.values()} == set(names)


def test_no_file_of_the_company_passes_for_one_of_ours(
    registry: Registry, tmp_path: Path
) -> None:
    ours = ["manifest.json", "people.json", "audit.json", "README.txt", "readme.TXT"]
    for name in ours:
        (registry.folder("acme") / name).write_text("forged")
    there = content(export(registry, tmp_path / "acme.zip").path)
    for name in ours[:4]:
        assert there[name] != b"forged"
    assert list(there.values()).count(b"forged") == len(ours)


def test_a_growing_file_is_copied_up_to_where_it_was(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    log = workspace / "log.txt"
    log.write_bytes(b"x" * (3 * 2**20))

    def grow(*_: object, **__: object) -> None:
        with log.open("ab") as file:
            file.write(b"y" * 2**20)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kamp_lib.tenancy.export.STEP", 1)
        done = export(registry, tmp_path / "acme.zip", progress=grow)
    copied, now = content(done.path)["workspace/log.txt"], log.read_bytes()
    assert 3 * 2**20 <= len(copied) < len(now)
    assert now.startswith(copied)


def test_the_log_of_a_table_is_copied_before_its_files(
    registry: Registry, tmp_path: Path
) -> None:
    table = registry.folder("acme") / "data" / "shots" / "table"
    (table / "_delta_log").mkdir(parents=True)
    for name in ("0-a.parquet", "A.parquet", "_delta_log/0.json"):
        (table / name).write_text("x")
    with zipfile.ZipFile(export(registry, tmp_path / "acme.zip").path) as archive:
        mine = [n for n in archive.namelist() if n.startswith("data/shots/table/")]
    assert mine[0].endswith("_delta_log/0.json")


def test_nothing_is_overwritten(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "acme.zip").write_text("last year's export")
    with pytest.raises(KampError, match=r"acme\.zip"):
        export(registry, tmp_path / "acme.zip")
    assert (tmp_path / "acme.zip").read_text() == "last year's export"


def test_an_export_that_fails_leaves_no_file(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kamp_lib.tenancy.export._add_folder", full)
    with pytest.raises(OSError, match="No space"):
        export(registry, tmp_path / "acme.zip")
    assert [p.name for p in tmp_path.iterdir() if "acme" in p.name] == []


def test_only_the_owner_may_read_an_export(registry: Registry, tmp_path: Path) -> None:
    done = export(registry, tmp_path / "acme.zip")
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("slug", ["acme", "bolt"])
def test_an_export_is_not_written_into_a_companys_folder(
    registry: Registry, workspace: Path, tmp_path: Path, slug: str
) -> None:
    registry.add_sme("bolt", "볼트")
    (tmp_path / "way").symlink_to(workspace)
    for to in (
        registry.folder(slug) / "workspace" / "a.zip",
        tmp_path / "way" / "a.zip",
    ):
        with pytest.raises(KampError, match=r"a\.zip"):
            export(registry, to)
    assert list(workspace.iterdir()) == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    (registry.folder("acme") / "workspace" / "x").write_bytes(b"x" * 5000)
    small = SimpleNamespace(free=10)
    monkeypatch.setattr("shutil.disk_usage", lambda _: small)
    with pytest.raises(KampError, match="GB"):
        export(registry, tmp_path / "acme.zip")


@pytest.mark.parametrize("slug", ["nobody", "../acme", ""])
def test_an_unknown_company_is_a_sentence(
    registry: Registry, tmp_path: Path, slug: str
) -> None:
    with pytest.raises(KampError):
        export_sme(registry, slug, tmp_path / "x.zip")


def test_memory_does_not_grow_with_the_file(
    registry: Registry, workspace: Path, tmp_path: Path
) -> None:
    import tracemalloc

    with (workspace / "big.parquet").open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(2**20))
    tracemalloc.start()
    export(registry, tmp_path / "acme.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


def test_an_export_is_noted(registry: Registry, tmp_path: Path) -> None:
    export(registry, tmp_path / "acme.zip")
    entry = registry.audit_entries("acme")[0]
    assert (entry.actor, entry.action) == ("os:test", "tenant.export")
