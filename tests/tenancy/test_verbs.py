"""`kamp tenant`, `kamp user`, `kamp audit`, `kamp init`, as people and scripts meet them."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from kamp_lib import console
from kamp_lib.settings import settings
from kamp_lib.tenancy import add_tenant, open_registry, tenant_named

VERBS = [
    "init",
    *(
        f"tenant {v}"
        for v in ["add", "list", "show", "suspend", "resume", "export", "remove"]
    ),
    *(
        f"user {v}"
        for v in ["add", "list", "remove", "passwd", "assign", "unassign", "unlock"]
    ),
    "audit",
    "db status",
    "db upgrade",
]
PLATFORM = [
    ["init"],
    ["tenant", "add", "bolt", "볼트"],
    ["tenant", "list"],
    ["tenant", "show", "acme"],
    ["tenant", "suspend", "acme"],
    ["tenant", "resume", "acme"],
    ["tenant", "export", "acme", "--to", "acme.zip"],
    ["tenant", "remove", "acme", "--yes"],
    ["user", "add", "ann", "김안나"],
    ["user", "list"],
    ["user", "passwd", "ann"],
    ["user", "assign", "ann", "acme", "analyst"],
    ["audit"],
    ["db", "status"],
    ["db", "upgrade"],
]


@pytest.fixture
def acme(migrated_file: Path) -> None:
    """A company with an analyst."""
    settings().home.mkdir()
    shutil.copyfile(migrated_file, settings().home / "platform.db")
    registry = open_registry()
    registry.add_sme("acme", "에이스", "Acme")
    registry.add_person("ann", "김안나", roles=[("acme", "analyst")])
    registry.close()


def sign_in(name: str, password: str) -> str:
    registry = open_registry()
    try:
        return registry.sign_in(name, password).status
    finally:
        registry.close()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(kamp, verb: str) -> None:
    said = kamp(*verb.split(), "--help")
    assert said.status == 0
    assert f"kamp {verb}" in " ".join(said.out.split("Example")[-1].split())


def test_no_verb_takes_a_password_as_an_argument(kamp) -> None:
    for verb in ("user add", "user passwd", "init"):
        options = [
            w for w in kamp(*verb.split(), "--help").out.split() if w[:2] == "--"
        ]
        assert not [option for option in options if "passw" in option.lower()]


def test_init_makes_the_first_operator_and_shows_the_password_once(kamp) -> None:
    first = kamp("init", "--json").json
    assert first["created"] is True
    assert first["operator"]["name"] == "operator"
    assert sign_in("operator", first["operator"]["password"]) == "must-change"
    again = kamp("init", "--json").json
    assert (again["created"], again["operator"]) == (False, None)
    assert first["operator"]["password"] not in kamp("init").out


def test_the_first_operator_may_have_another_name(kamp) -> None:
    assert kamp("init", "--operator", "root-kim").status == 0
    assert [p["name"] for p in kamp("user", "list", "--json").json] == ["root-kim"]


def test_init_registers_the_companies_that_are_there(kamp) -> None:
    add_tenant("acme", "에이스")
    add_tenant("operator", "운영사")
    (listed, other) = kamp("tenant", "list", "--json").json
    assert (listed["slug"], listed["status"]) == ("acme", "unregistered")
    assert other["slug"] == "operator"
    said = kamp("init", "--json", "--operator", "op")
    assert said.json["adopted"] == ["acme", "operator"]
    assert {t["status"] for t in kamp("tenant", "list", "--json").json} == {"active"}


def test_a_company_is_added_with_row_and_folder(kamp) -> None:
    said = kamp(
        *(
            "tenant",
            "add",
            "acme",
            "에이스",
            "--equipment",
            "press",
            "--industry",
            "금형",
        ),
        *("--plan", "small", "--json"),
    )
    assert said.status == 0
    assert said.json["plan"] == "small"
    assert tenant_named("acme").equipment == ("press",)
    assert said.json["home"] == str(tenant_named("acme").home)


def test_a_company_that_exists_is_refused(kamp, acme) -> None:
    said = kamp("tenant", "add", "acme", "에이스")
    assert said.status == 1
    assert "acme" in said.err


def test_a_company_is_shown_with_quotas_use_and_people(kamp, acme) -> None:
    (tenant_named("acme").workspace / "x").write_bytes(b"x" * 10_000)
    shown = kamp("tenant", "show", "acme", "--json").json
    assert shown["quotas"]["servers"] == 8
    assert shown["used"]["bytes"] >= 10_000
    assert shown["people"] == {"ann": ["analyst"]}
    assert "analyst" in kamp("tenant", "show", "acme").out


def test_a_suspended_company_is_shown_so_until_it_is_resumed(kamp, acme) -> None:
    assert kamp("tenant", "suspend", "acme", "--json").json["status"] == "suspended"
    assert kamp("tenant", "list", "--json").json[0]["status"] == "suspended"
    assert kamp("tenant", "resume", "acme").status == 0
    assert kamp("tenant", "list", "--json").json[0]["status"] == "active"


def test_a_row_whose_folder_is_gone_is_shown_so(kamp, acme) -> None:
    tenant_named("acme").home.rename(settings().home / "elsewhere")
    assert kamp("tenant", "list", "--json").json[0]["status"] == "no-folder"


def test_words_of_a_company_are_shown_as_they_are(kamp) -> None:
    name = "[red]<b>x</b>[/red] :smile:"
    assert kamp("tenant", "add", "acme", name).status == 0
    assert kamp("user", "add", "ann", name).status == 0
    for verb in (("tenant", "list"), ("tenant", "show", "acme"), ("user", "list")):
        shown = kamp(*verb).out
        assert "[red]<b>" in shown
        assert ":smile:" in shown


def test_a_company_is_exported(kamp, acme, tmp_path: Path) -> None:
    (tenant_named("acme").workspace / "note.txt").write_text("hello")
    (tenant_named("acme").workspace / "link").symlink_to("/etc/passwd")
    to = tmp_path / "acme.zip"
    said = kamp("tenant", "export", "acme", "--to", str(to), "--no-csv", "--json")
    assert said.status == 0
    assert said.json["skipped"] == [{"path": "workspace/link", "reason": "link"}]
    with zipfile.ZipFile(to) as archive:
        assert archive.read("workspace/note.txt") == b"hello"


def test_an_export_without_everything_fails_loudly_but_is_there(
    kamp, acme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.tenancy.hostile.MOST_NOTHING", 0)
    with (tenant_named("acme").workspace / "x\x1b[2J").open("wb") as file:
        file.truncate(2**20)
    to = tmp_path / "acme.zip"
    said = kamp("tenant", "export", "acme", "--to", str(to), "--no-csv")
    assert said.status == 1
    assert "\x1b" not in said.err + said.out
    assert to.is_file()


def test_remove_asks_and_shows_what_will_be_gone(
    kamp, acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(console, "somebody_there", lambda: True)
    monkeypatch.setattr(console, "ask", lambda text: asked.append(str(text)) or "yes")
    said = kamp("tenant", "remove", "acme", "--no-csv")
    assert said.status == 1
    assert len(asked) == 1
    assert "ann" in said.err
    assert tenant_named("acme").home.is_dir()
    assert kamp("tenant", "list", "--json").json[0]["status"] == "active"


def test_remove_exports_and_then_deletes(
    kamp, acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tenant_named("acme").workspace / "note.txt").write_text("hello")
    home = tenant_named("acme").home
    monkeypatch.setattr(console, "somebody_there", lambda: True)
    monkeypatch.setattr(console, "ask", lambda _: "acme")
    said = kamp("tenant", "remove", "acme", "--no-csv", "--json")
    assert said.status == 0
    with zipfile.ZipFile(said.json["export"]) as archive:
        assert archive.read("workspace/note.txt") == b"hello"
        people = json.loads(archive.read("people.json"))
    assert [person["name"] for person in people] == ["ann"]
    assert not home.exists()
    assert kamp("tenant", "list", "--json").json == []
    assert kamp("tenant", "remove", "acme", "--yes").status == 1


def test_remove_without_a_terminal_needs_to_be_told(kamp, acme) -> None:
    assert kamp("tenant", "remove", "acme").status == 2
    assert tenant_named("acme").home.is_dir()


def test_remove_without_an_export_leaves_nothing(kamp, acme, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "x").write_text("of somebody else")
    (tenant_named("acme").workspace / "link").symlink_to(keep)
    said = kamp("tenant", "remove", "acme", "--yes", "--no-export", "--json")
    assert (said.status, said.json["export"]) == (0, None)
    assert not (settings().home / "exports").exists()
    assert list((settings().home / "tenants").iterdir()) == []
    assert (keep / "x").read_text() == "of somebody else"


def test_remove_stops_when_the_export_would_miss_something(
    kamp, acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.tenancy.hostile.MOST_NOTHING", 0)
    with (tenant_named("acme").workspace / "sparse").open("wb") as file:
        file.truncate(2**20)
    assert kamp("tenant", "remove", "acme", "--yes", "--no-csv").status == 1
    assert tenant_named("acme").home.is_dir()
    assert kamp("tenant", "list", "--json").json[0]["status"] == "suspended"


def test_a_company_whose_folder_is_gone_can_be_removed(kamp, acme) -> None:
    tenant_named("acme").home.rename(settings().home / "elsewhere")
    assert kamp("tenant", "remove", "acme", "--yes").status == 0
    assert kamp("tenant", "list", "--json").json == []


def test_a_person_gets_a_password_for_the_first_sign_in(kamp) -> None:
    made = kamp("user", "add", "ann", "김안나", "--json").json
    assert sign_in("ann", made["password"]) == "must-change"
    (listed,) = kamp("user", "list", "--json").json
    assert (listed["name"], listed["must_change"]) == ("ann", True)
    assert made["password"] not in kamp("user", "list").out + kamp("audit").out


def test_a_password_comes_from_the_environment(
    kamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_NEW_PASSWORD", "tall trees 7")
    assert kamp("user", "add", "ann", "김안나").status == 0
    assert sign_in("ann", "tall trees 7") == "must-change"
    monkeypatch.setenv("KAMP_NEW_PASSWORD", "short")
    refused = kamp("user", "passwd", "ann")
    assert refused.status == 2
    assert "short" not in refused.err
    assert sign_in("ann", "tall trees 7") == "must-change"


@pytest.mark.parametrize(
    ("typed", "status"),
    [(["tall trees 7", "tall trees 7"], 0), (["tall trees 7", "tall trees 8"], 2)],
)
def test_a_password_is_typed_twice(
    kamp, monkeypatch: pytest.MonkeyPatch, typed: list[str], status: int
) -> None:
    monkeypatch.setattr(console, "ask_secret", lambda _: typed.pop(0))
    assert kamp("user", "add", "ann", "김안나", "--ask").status == status


def test_without_a_terminal_a_password_cannot_be_asked_for(kamp) -> None:
    said = kamp("user", "add", "ann", "김안나", "--ask")
    assert said.status == 2
    assert "KAMP_NEW_PASSWORD" in said.err


def test_a_new_password_replaces_the_old_and_unlocks(kamp) -> None:
    first = kamp("user", "add", "ann", "김안나", "--json").json["password"]
    for _ in range(5):
        sign_in("ann", "wrong")
    assert kamp("user", "list", "--json").json[0]["locked_until"] is not None
    assert "locked" in kamp("user", "list").out
    second = kamp("user", "passwd", "ann", "--json").json["password"]
    assert sign_in("ann", first) == "wrong"
    assert sign_in("ann", second) == "must-change"


def test_a_person_is_unlocked(kamp) -> None:
    first = kamp("user", "add", "ann", "김안나", "--json").json["password"]
    for _ in range(5):
        sign_in("ann", "wrong")
    assert sign_in("ann", first) == "locked"
    assert kamp("user", "unlock", "ann").status == 0
    assert sign_in("ann", first) == "must-change"


def test_roles_are_given_and_taken(kamp, acme) -> None:
    said = kamp("user", "assign", "ann", "acme", "manager", "--json")
    assert said.json["roles"] == ["analyst", "manager"]
    said = kamp("user", "unassign", "ann", "acme", "analyst", "--json")
    assert said.json["roles"] == ["manager"]
    assert kamp("user", "unassign", "ann", "acme", "--json").json["roles"] == []


def test_people_are_listed_by_company(kamp, acme) -> None:
    kamp("user", "add", "bob", "박보람")
    listed = kamp("user", "list", "--tenant", "acme", "--json").json
    assert [(p["name"], p["roles"]) for p in listed] == [("ann", {"acme": ["analyst"]})]
    assert kamp("user", "list", "--tenant", "nowhere").status == 1


def test_a_person_is_removed(kamp, acme) -> None:
    assert kamp("user", "remove", "ann").status == 0
    assert kamp("user", "list", "--json").json == []
    assert kamp("user", "remove", "ann").status == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["tenant", "show", "nobody"], 1),
        (["tenant", "suspend", "nobody"], 1),
        (["tenant", "export", "nobody", "--to", "x.zip"], 1),
        (["tenant", "export", "acme"], 2),
        (["tenant", "export", "acme", "--to", "/no/such/folder/x.zip"], 1),
        (["tenant", "remove", "nobody", "--yes"], 1),
        (["tenant", "add", "bolt", "볼트", "--plan", "gigantic"], 2),
        (["user", "add", "Ann!", "김안나"], 2),
        (["user", "add", "ann", "김안나"], 1),
        (["user", "add", "acme", "에이스"], 1),
        (["user", "add", "bob", "박보람", "--role", "acme"], 2),
        (["user", "add", "bob", "박보람", "--role", "acme:boss"], 2),
        (["user", "add", "bob", "박보람", "--role", "nowhere:analyst"], 1),
        (["user", "add", "bob", "박보람", "--email", "none"], 2),
        (["user", "assign", "ann", "acme", "boss"], 2),
        (["user", "assign", "nobody", "acme", "analyst"], 1),
        (["user", "unassign", "ann", "nowhere"], 1),
        (["user", "passwd", "nobody"], 1),
        (["user", "remove", "'; DROP TABLE people; --"], 1),
        (["audit", "--limit", "0"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_mistake_is_a_sentence_and_changes_nothing(
    kamp, acme, arguments: list[str], status: int
) -> None:
    before = kamp("audit", "--json").json
    said = kamp(*arguments)
    assert (said.status, said.out) == (status, "")
    assert said.err.strip()
    assert "Traceback" not in said.err
    assert "unexpected" not in said.err
    assert kamp("audit", "--json").json == before


def test_the_audit_tells_who_did_what(kamp, acme) -> None:
    kamp("tenant", "suspend", "acme")
    lines = kamp("audit", "acme", "--json").json
    assert [line["action"] for line in lines] == [
        "tenant.suspend",
        "user.assign",
        "tenant.add",
    ]
    assert all(line["actor"].startswith("os:") for line in lines)
    assert len(kamp("audit", "acme", "--limit", "1", "--json").json) == 1
    assert "tenant.suspend" in kamp("audit").out


@pytest.mark.parametrize("arguments", PLATFORM, ids=" ".join)
def test_inside_a_workspace_the_platforms_verbs_refuse(
    kamp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    own = add_tenant("acme", "에이스")
    monkeypatch.setenv("KAMP_TENANT_HOME", str(own.home))
    monkeypatch.chdir(tmp_path)
    said = kamp(*arguments)
    assert (said.status, said.out) == (1, "")
    assert "workspace" in said.err
    assert not (settings().home / "platform.db").exists()


def test_verbs_that_need_only_the_folder_need_no_database(
    kamp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_tenant("acme", "에이스")
    monkeypatch.setenv("KAMP_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    (tmp_path / "shots.csv").write_text("shot_id,a\n1,2\n2,3\n")
    file = str(tmp_path / "shots.csv")
    assert kamp("ingest", "acme", "generic", file, "--json").status == 0
    assert kamp("datasets", "acme").status == 0
    assert kamp("runs", "acme").status == 0
    assert kamp("tenant", "list").status == 1
