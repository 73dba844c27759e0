"""What jobs do: each task is a call or two into the rooms below, run by `work`.

A task takes the request as a dict and gives its result as one; both cross a pipe as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.progress import Progress
from kamp_lib.settings import person
from kamp_lib.tenancy import tenant_named
from kamp_lib.text import Text
from kamp_lib.workspace.mapping_edits import edited_mapping

Request = dict[str, Any]
Task = Callable[[Request, Progress], dict[str, Any]]


def datasets(request: Request, progress: Progress) -> dict[str, Any]:
    """What the start page says of every data set; a damaged one says why."""
    from kamp_lib.datasets import list_datasets

    damaged: list[KampError] = []
    there = list_datasets(tenant_named(), unreadable=damaged.append)
    return {
        "datasets": [
            {
                "name": d.name,
                "version": d.version,
                "equipment": d.equipment,
                "record_kind": d.record_kind,
                "rows": d.rows,
                "quarantined": d.rows_quarantined,
                "quality": d.quality.score,
                "simulated": d.simulated,
                "updated": d.updated.isoformat(),
                "findings": _counted(d.findings),
                "columns": [
                    {"name": c.name, "ko": c.ko, "en": c.en, "kind": c.kind}
                    for c in d.columns
                    if not c.name.startswith("_")
                ],
            }
            for d in there
        ],
        "damaged": [error.text.model_dump() for error in damaged],
    }


def _counted(findings: Any) -> dict[str, int]:
    said = [f.severity for f in findings]
    return {kind: said.count(kind) for kind in ("error", "warning", "info")}


def look(request: Request, progress: Progress) -> dict[str, Any]:
    """What an ingest would do: mapping, findings, first rows; nothing is stored."""
    return _ingest(request, progress, dry_run=True)


def ingest(request: Request, progress: Progress) -> dict[str, Any]:
    """Store uploaded files."""
    return _ingest(request, progress, dry_run=False)


def _ingest(request: Request, progress: Progress, *, dry_run: bool) -> dict[str, Any]:
    from kamp_lib.datasets import Options
    from kamp_lib.datasets import ingest as ingest_files

    lock = _Lock(request.get("password"))
    files = [Path(file) for file in request["files"]]
    mapping = edited_mapping(request)
    try:
        result = ingest_files(
            tenant_named(),
            request["equipment"],
            files,
            dataset=request.get("dataset"),
            mapping=mapping,
            labels=request.get("labels"),
            on=request.get("on"),
            replace=bool(request.get("replace")),
            dry_run=dry_run,
            options=Options(
                sheet=request.get("sheet"),
                dates=request.get("dates"),
                layout=request.get("layout"),
                personal=request.get("personal", "mask"),
                fixes=tuple(request["fixes"]) if "fixes" in request else None,
                password=lock.key,
            ),
            progress=progress,
        )
    except KampError as error:
        raise _Explained(error, locked=lock.asked) from error
    return {
        **result.model_dump(mode="json"),
        "locked": lock.asked,
        "fixable": _fixable(f.code for f in result.findings),
    }


def _fixable(codes: Iterable[str]) -> dict[str, Any]:
    """What `--fix` would do about these findings, where it can do anything."""
    from kamp_lib.datasets.fixes import fixes

    known = fixes()
    return {c: known[c].said.model_dump() for c in sorted(set(codes)) if c in known}


class _Lock:
    """Gives the password of a locked file, and knows whether there was one."""

    def __init__(self, password: str | None) -> None:
        self.asked = False
        self._password = password

    def key(self, name: str) -> str:
        self.asked = True
        if not self._password:
            raise KampError(
                f"'{name}'은(는) 암호로 잠긴 파일입니다. 아래에 암호를 적고 다시 살펴보세요."
                " 암호는 저장하지 않습니다.",
                f"{name!r} is locked with a password. Write it below and look again;"
                " it is not kept.",
            )
        return self._password


class _Explained(KampError):
    """An error with what the page has to know of it."""

    def __init__(self, error: KampError, **details: Any) -> None:
        super().__init__(error.text.ko, error.text.en)
        self.details = details


def undo(request: Request, progress: Progress) -> dict[str, Any]:
    """Take back an ingest, unless the data set has changed since."""
    from kamp_lib.datasets import open_dataset
    from kamp_lib.datasets import undo as undo_ingest

    tenant, name = tenant_named(), request["dataset"]
    now = open_dataset(tenant, name).version
    if now != request["version"]:
        raise KampError(
            f"그 뒤로 데이터셋 '{name}'이(가) 바뀌었습니다(지금 {now}판). 되돌리면 다른 사람의"
            " 작업이 사라질 수 있어 그대로 두었습니다.",
            f"data set {name!r} has changed since (it is version {now} now); undoing"
            " could take back somebody else's work, so it was left as it is.",
        )
    left = undo_ingest(tenant, name)
    return {
        "dataset": name,
        "version": left.version if left else None,
        "rows": left.rows if left else 0,
    }


def run(request: Request, progress: Progress) -> dict[str, Any]:
    """Run a standard model, or a problem family on any data set."""
    from kamp_lib.runs import failed_sentence
    from kamp_lib.workbench import Company

    bundle = Company(tenant_named()).run(
        request["model"],
        dataset=request.get("dataset"),
        progress=progress,
        **request.get("parameters", {}),
    )
    if bundle.record.status == "failed":
        error = failed_sentence(bundle.record)
        raise _Explained(error, run=bundle.path.name)
    return {"run": bundle.path.name}


def dataset_page(request: Request, progress: Progress) -> dict[str, Any]:
    """The page of a data set as one HTML file."""
    from kamp_lib.workbench import Company

    page = Company(tenant_named()).page(request["dataset"], progress=progress)
    page.write(Path(request["to"]), request["lang"])
    return {"to": request["to"]}


def run_page(request: Request, progress: Progress) -> dict[str, Any]:
    """The decision page of a run as one HTML file."""
    from kamp_lib import reports
    from kamp_lib.runs import open_run

    bundle = open_run(tenant_named(), request["run"])
    reports.export(bundle, Path(request["to"]), request["lang"])
    return {"to": request["to"]}


def publish(request: Request, progress: Progress) -> dict[str, Any]:
    """Release a run's page; in a workspace the hub's service does it."""
    from kamp_lib.reports import release

    progress(Text("의사결정 페이지를 게시하는 중", "publishing the decision page"))
    note = release.publish(tenant_named(), request["run"], by=person())
    return note.model_dump(mode="json", exclude={"sha256"})


def withdraw(request: Request, progress: Progress) -> dict[str, Any]:
    """Take a released page back."""
    from kamp_lib.reports import release

    progress(Text("게시를 취소하는 중", "withdrawing the decision page"))
    note = release.withdraw(tenant_named(), request["run"], by=person())
    return note.model_dump(mode="json", exclude={"sha256"})


TASKS: dict[str, Task] = {
    "datasets": datasets,
    "look": look,
    "ingest": ingest,
    "undo": undo,
    "run": run,
    "dataset-page": dataset_page,
    "run-page": run_page,
    "publish": publish,
    "withdraw": withdraw,
}
