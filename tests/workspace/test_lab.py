"""How JupyterLab is started, and what it loads of ours."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from jinja2 import meta
from jupyterlab.labapp import LabApp

from kamp_lib.text import Text
from kamp_lib.workspace import lab_arguments, lab_environment
from kamp_lib.workspace.handlers.base import TEMPLATES, templates
from kamp_lib.workspace.lab import FRONTEND
from kamp_lib.workspace.words import CATALOGUE, text, words

START = FRONTEND / "labextensions" / "kamp-start"
SCHEMAS = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_folder_that_is_named_is_there(language: str) -> None:
    said = dict(a.lstrip("-").split("=", 1) for a in lab_arguments(language))  # type: ignore[arg-type]
    for trait in ("LabApp.extra_labextensions_path", "LabApp.app_settings_dir"):
        assert Path(said[trait]).is_dir()


def test_every_trait_that_is_set_exists() -> None:
    for argument in lab_arguments("ko"):
        kind, trait = argument.lstrip("-").split("=", 1)[0].split(".")
        if kind == "LabApp":
            assert LabApp.class_traits().get(trait) is not None, trait


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_setting_that_is_overridden_exists_in_this_jupyterlab(
    language: str,
) -> None:
    path = FRONTEND / "settings" / language / "overrides.json"
    for plugin, values in json.loads(path.read_text()).items():
        package, _, name = plugin.partition(":")
        schema = json.loads((SCHEMAS / package / f"{name}.json").read_text())
        assert set(values) <= set(schema["properties"]), plugin


def test_the_extension_loads_the_files_it_has() -> None:
    package = json.loads((START / "package.json").read_text())
    assert (START / package["jupyterlab"]["_build"]["load"]).is_file()
    for script in (START / "static").glob("*.js"):
        for name in re.findall(r'from "\./([a-z]+\.js)"', script.read_text()):
            assert (START / "static" / name).is_file(), f"{script.name}: {name}"


def test_the_environment_says_who_works_and_where_their_settings_lie() -> None:
    told = lab_environment("en", person="ann", home="/workspace")
    assert told["KAMP_LANG"] == "en"
    assert told["KAMP_PERSON"] == "ann"
    assert told["JUPYTERLAB_SETTINGS_DIR"] == "/workspace/data/.lab/ann/settings"


def test_no_name_of_a_person_leads_out_of_the_company() -> None:
    told = lab_environment("ko", person="../../x", home="/workspace")
    assert told["JUPYTERLAB_SETTINGS_DIR"] == "/workspace/data/.lab/x/settings"


def catalogue() -> dict[str, Text]:
    entries = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return {key: Text(**entry) for key, entry in entries.items()}


@pytest.mark.parametrize("key", catalogue())
def test_words_have_the_same_places_in_both_languages(key: str) -> None:
    said = catalogue()[key]
    assert set(re.findall(r"{\w+}", said.ko)) == set(re.findall(r"{\w+}", said.en))


def test_every_word_that_is_used_exists_and_every_word_is_used() -> None:
    sources = [p.read_text(encoding="utf-8") for p in TEMPLATES.glob("*.html")]
    code = Path(words.__code__.co_filename).parent.rglob("*.py")
    whole = "\n".join([*sources, *(p.read_text(encoding="utf-8") for p in code)])
    plain = set(re.findall(r"""\bt\("([a-z0-9._-]+)"[,)]""", whole))
    assert plain <= set(catalogue())
    started = re.findall(r"""["']([a-z]+\.)["'] ~|f"([a-z]+\.)\{""", whole)
    starts = tuple({a or b for a, b in started})
    quoted = set(re.findall(r"""["']([a-z0-9._-]+)["']""", whole))
    unused = [k for k in catalogue() if k not in quoted and not k.startswith(starts)]
    assert unused == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda p: p.name)
def test_no_template_switches_escaping_off(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "|safe" not in source.replace(" ", "")
    assert "autoescape" not in source
    meta.find_undeclared_variables(templates().parse(source))  # it can be read


def test_the_words_of_both_languages_come_together() -> None:
    assert text("start") == Text("시작", "Start")


@pytest.mark.parametrize(
    "script", sorted((START / "static").glob("*.js")), ids=lambda p: p.name
)
def test_no_script_builds_html_from_words(script: Path) -> None:
    """What is put in as HTML is a constant of ours or what the server has escaped."""
    source = script.read_text()
    assert "insertAdjacentHTML" not in source
    assert "document.write" not in source
    for line in re.findall(r"\.innerHTML = ([^;]+);", source):
        assert line.strip() in ("html", "told.html") or "${" not in line


def test_every_test_that_the_page_about_the_workspace_names_exists() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "workspace.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    tests = [
        f.read_text(encoding="utf-8") for f in Path(__file__).parent.glob("test_*.py")
    ]
    there = set(re.findall(r"^def (test_\w+)\(", "\n".join(tests), re.MULTILINE))
    assert len(named) > 15
    assert named <= there
