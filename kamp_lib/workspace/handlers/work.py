"""What the buttons start: an analysis, taking back an ingest, publishing a page."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from kamp_lib.catalog import resolve_parameters
from kamp_lib.errors import UsageError
from kamp_lib.runs import open_run
from kamp_lib.text import Text
from kamp_lib.workspace.forms import analysis, filled
from kamp_lib.workspace.handlers.base import Handler
from kamp_lib.workspace.job import ENDED, Job
from kamp_lib.workspace.words import text


class RunsHandler(Handler):
    """`POST`: start an analysis, when every parameter is right."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        told = self.told()
        family, model = analysis(_name(told, "model"))
        dataset = await self.desk.shelf.dataset(_name(told, "dataset"))
        given, errors = filled(family, model, told.get("parameters") or {})
        if errors:
            self._refuse(errors)
            return
        resolve_parameters(family, model, given)
        label = model.label if model else family.label
        job = self.desk.jobs.add(
            Job("run", text("job.run", name=label), subject=dataset["name"]),
            {
                "model": _name(told, "model"),
                "dataset": dataset["name"],
                "parameters": given,
            },
        )
        self.answer(job=job.id)

    def _refuse(self, errors: dict[str, Text]) -> None:
        said = {name: self.words.of(error) for name, error in errors.items()}
        self.set_status(400)
        self.answer(message=next(iter(said.values())), fields=said)


class UndoHandler(Handler):
    """`POST`: take back the ingest that made this version."""

    @web.authenticated
    @authorized
    async def post(self, dataset: str) -> None:
        told = self.told()
        version, upload_id = told.get("version"), told.get("upload")
        if not isinstance(version, int) or isinstance(version, bool):
            raise web.HTTPError(400, "version is no number")
        job = Job("undo", text("job.undo", name=dataset), subject=str(upload_id or ""))
        self.desk.jobs.add(
            job,
            {"dataset": dataset, "version": version},
            then=lambda j: self._then(j, upload_id),
        )
        self.answer(job=job.id)

    def _then(self, job: Job, upload_id: Any) -> None:
        upload = self.desk.uploads.uploads.get(str(upload_id))
        if job.state == "done" and upload is not None and upload.stored is not None:
            upload.stored = {**upload.stored, "undone": True}


class PublishHandler(Handler):
    """`POST`: release the decision page of a run."""

    task = "publish"

    @web.authenticated
    @authorized
    async def post(self, run: str) -> None:
        going = [j for j in self.desk.jobs.about(run) if j.state not in ENDED]
        if any(job.task in ("publish", "withdraw") for job in going):
            raise UsageError(
                "이 분석을 게시하거나 게시 취소하는 중입니다.",
                "this run is being published or withdrawn already.",
            )
        record = (await asyncio.to_thread(open_run, self.desk.tenant, run)).record
        title = text(f"job.{self.task}", name=record.model.name)
        job = self.desk.jobs.add(Job(self.task, title, subject=run), {"run": run})
        self.answer(job=job.id)


class WithdrawHandler(PublishHandler):
    """`POST`: take a released page back."""

    task = "withdraw"


def _name(told: dict[str, Any], field: str) -> str:
    name = told.get(field)
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise web.HTTPError(400, f"{field} is missing")
    return name
