"""The views: the start page, an upload on its way in, the form of an analysis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jupyter_server.auth.decorator import authorized
from tornado import web

from kamp_lib.datasets.types import AppliedFix
from kamp_lib.errors import KampError
from kamp_lib.text import Text
from kamp_lib.workspace import start
from kamp_lib.workspace.choices import Choices
from kamp_lib.workspace.forms import analysis, column_choices, fields
from kamp_lib.workspace.handlers.base import Handler
from kamp_lib.workspace.intake import look, unit_choices
from kamp_lib.workspace.job import ENDED, Job


class StartView(Handler):
    """The start page; its data sets follow by themselves, when they have been read."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        runs, earlier = await asyncio.to_thread(start.run_cards, self.desk.tenant)
        uploads = [u for u in self.desk.uploads.uploads.values() if u.stored is None]
        await self.fragment(
            "start.html",
            person=self.desk.person,
            uploads=uploads,
            runs=runs,
            earlier=earlier,
            notebooks=start.notebook_cards(self.desk.tenant),
        )


class DatasetsView(Handler):
    """The data sets, and the models that fit them."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        there = await self.desk.shelf.datasets()
        await self.fragment(
            "datasets.html",
            datasets=there["datasets"],
            damaged=there["damaged"],
            models=start.model_cards(self.desk.tenant, there["datasets"]),
            equipment=start.equipment_label,
            moment=start.moment,
        )


class IntakeView(Handler):
    """One upload: choose the machine, look, correct, store."""

    @web.authenticated
    @authorized
    async def get(self, upload_id: str) -> None:
        upload = self.desk.uploads.upload(upload_id)
        jobs = self.desk.jobs.about(upload_id)
        for job in jobs:  # how it ended is said here, and need not stay in the list
            job.shown = job.shown and job.state not in ENDED
        own, others = start.equipment_choices(self.desk.tenant)
        chosen = upload.choices.get("equipment") or _only(own)
        seen = look(upload.seen) if upload.seen is not None else None
        await self.fragment(
            "intake.html",
            upload=upload,
            job=_last(jobs),
            own=own,
            others=others,
            chosen=chosen,
            choices=dict.fromkeys(Choices.model_fields) | upload.choices,
            look=seen,
            units=unit_choices() if seen else [],
            stored=upload.stored,
            analyses=self._analyses(upload.stored),
            models=[name for name, *_ in start.models_for(upload.stored or {})],
            fixes=_fixes(upload.choices, seen.result.fixes if seen else []),
        )

    def _analyses(
        self, stored: dict[str, object] | None
    ) -> list[tuple[str, Text, Text]]:
        if stored is None:
            return []
        return start.models_for(stored) or start.family_analyses()


class _Analysis(Handler):
    """What both have in common."""

    async def form(self, name: str, asked: str) -> None:
        family, model = analysis(name)
        there = (await self.desk.shelf.datasets())["datasets"]
        fitting = [
            d
            for d in there
            if model is None
            or (d["equipment"], d["record_kind"])
            == (model.equipment, model.record_kind)
        ]
        chosen = next((d for d in fitting if d["name"] == asked), None)
        if chosen is None and fitting:
            chosen = max(fitting, key=lambda d: str(d["updated"]))
        if chosen is None:
            raise KampError(*_no_data())
        await self.fragment(
            "model.html",
            name=name,
            model=model,
            family=family,
            datasets=fitting,
            chosen=chosen,
            others=start.analyses_for(chosen),
            fields=fields(family, model),
            columns=column_choices(chosen["columns"]),
        )


class AnalyseView(_Analysis):
    """The form of the analysis that fits a data set best."""

    @web.authenticated
    @authorized
    async def get(self, dataset: str) -> None:
        known = await self.desk.shelf.dataset(dataset)
        await self.form(start.analyses_for(known)[0][0], dataset)


class ModelView(_Analysis):
    """The form of one analysis."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        await self.form(name, self.get_query_argument("dataset", ""))


def _no_data() -> tuple[str, str]:
    return (
        "이 분석에 맞는 데이터셋이 아직 없습니다. 파일을 먼저 가져오세요.",
        "there is no data set for this analysis yet; bring a file in first.",
    )


def _only(own: list[tuple[str, Text]]) -> str | None:
    return own[0][0] if len(own) == 1 else None


def _last(jobs: list[Job]) -> Job | None:
    """The job that runs, else the one that went wrong last."""
    going = [job for job in jobs if job.state not in ENDED]
    if going:
        return going[-1]
    return jobs[-1] if jobs and jobs[-1].state in ("failed", "stopped") else None


def _fixes(choices: dict[str, object], applied: Sequence[AppliedFix]) -> set[str]:
    """The fixes to tick: those asked for, else those that were applied unasked."""
    asked = choices.get("fixes")
    if isinstance(asked, list):
        return set(map(str, asked))
    return {fix.code for fix in applied}
