from pathlib import Path

import pytest

from kamp_lib.errors import KampError
from kamp_lib.runs import Bundle, open_run
from kamp_lib.tenancy import Tenant


@pytest.mark.parametrize("name", ["../run", "/etc/passwd", "a/b", ".hidden", ""])
def test_a_table_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KampError):
        Bundle(tmp_path).table(name)


def test_a_missing_table_is_an_empty_frame(tmp_path: Path) -> None:
    assert Bundle(tmp_path).table("cases").empty


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe", b"[1]"])
def test_a_broken_record_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(KampError, match=r"run\.json"):
        _ = Bundle(tmp_path).record


def test_an_unknown_run_is_answered_with_the_command_that_lists_them(
    tenant: Tenant,
) -> None:
    with pytest.raises(KampError, match="kamp runs haneul-mold"):
        open_run(tenant, "nothing")


def test_an_empty_name_is_no_run(tenant: Tenant) -> None:
    run = tenant.runs / "20261121-010203-injection-quality-ab12cd"
    run.mkdir()
    (run / "run.json").write_text("{}")
    assert open_run(tenant, "2026").path == run
    with pytest.raises(KampError):
        open_run(tenant, "")
