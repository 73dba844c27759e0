from pathlib import Path

import pytest
import yaml

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import plan_named, plans
from kamp_lib.tenancy.plans import FILE, read_plans


def test_three_plans_grow_from_small_to_large() -> None:
    assert list(plans()) == ["small", "standard", "large"]
    for smaller, larger in (("small", "standard"), ("standard", "large")):
        one, other = plan_named(smaller), plan_named(larger)
        assert one.memory_mb < other.memory_mb
        assert one.cpus < other.cpus
        assert one.processes < other.processes
        assert one.disk_gb < other.disk_gb
        assert one.servers < other.servers


def test_every_plan_has_a_name_in_both_languages() -> None:
    for plan in plans().values():
        assert plan.name.ko
        assert plan.name.en
        assert plan.name.ko != plan.name.en


def test_an_unknown_plan_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="standard"):
        plan_named("gigantic")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("memory_mb", 0),
        ("memory_mb", "4096"),
        ("cpus", 0),
        ("processes", 1),
        ("disk_gb", -1),
        ("servers", 0),
        ("servers", 2.5),
        ("name", {"ko": "소형"}),
        ("colour", "red"),
    ],
)
def test_a_plan_with_an_impossible_quota_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    content["small"][key] = value
    changed = tmp_path / "plans.yaml"
    changed.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(KampError, match=key):
        read_plans(changed)


@pytest.mark.parametrize(
    "text", ["", "- a", "small: 3", "Small Plan: {}", "{", "a: &a *a"]
)
def test_a_file_that_holds_no_plans_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plans.yaml"
    file.write_text(text)
    with pytest.raises(KampError, match=r"plans\.yaml"):
        read_plans(file)
