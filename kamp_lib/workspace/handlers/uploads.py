"""Files on their way in: announced, received piece by piece, looked at, stored."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from kamp_lib.errors import UsageError
from kamp_lib.workspace.choices import Choices
from kamp_lib.workspace.handlers.base import Handler
from kamp_lib.workspace.job import ENDED, Job
from kamp_lib.workspace.uploads import PIECE, Upload
from kamp_lib.workspace.words import text

LONGEST_NAME = 4096
LARGEST = 1 << 50


class UploadsHandler(Handler):
    """`POST`: announce files by name and size."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        announced = _announced(self.told().get("files"))
        upload = await asyncio.to_thread(self.desk.uploads.start, announced)
        self.answer(upload=upload.id, piece=PIECE)


class UploadHandler(Handler):
    """`DELETE`: remove the files of an upload and stop what works on them."""

    @web.authenticated
    @authorized
    async def delete(self, upload_id: str) -> None:
        self.desk.uploads.upload(upload_id)
        for job in self.desk.jobs.about(upload_id):
            if job.state not in ENDED:
                await self.desk.jobs.cancel(job.id)
        await asyncio.to_thread(self.desk.uploads.discard, upload_id)
        self.answer(removed=upload_id)


class PieceHandler(Handler):
    """`PUT ?offset=N`: a piece of an announced file."""

    @web.authenticated
    @authorized
    async def put(self, upload_id: str, number: str) -> None:
        upload = self.desk.uploads.upload(upload_id)
        piece = self.request.body
        if len(piece) > PIECE:
            raise web.HTTPError(413)
        try:
            offset = int(self.get_query_argument("offset", "0"))
        except ValueError as error:
            raise web.HTTPError(400, "offset is no number") from error
        file = await asyncio.to_thread(upload.write, int(number), offset, piece)
        self.answer(here=file.here, whole=upload.whole)


class _Working(Handler):
    """What looking and storing have in common."""

    task = ""

    @web.authenticated
    @authorized
    async def post(self, upload_id: str) -> None:
        upload = self.desk.uploads.upload(upload_id)
        _check_ready(upload)
        if any(job.state not in ENDED for job in self.desk.jobs.about(upload_id)):
            raise UsageError(
                "이 파일에 대한 작업이 이미 진행 중입니다.",
                "work on these files is going on already.",
            )
        choices = Choices.checked(self.told())
        request = choices.request(upload)
        upload.choices = choices.kept()
        name = upload.tops()[0].name
        title = text(f"job.{self.task}", name=name)
        job = Job(self.task, title, subject=upload_id)
        self.desk.jobs.add(
            job, request, scratch=upload.scratch, then=lambda j: self.then(upload, j)
        )
        self.answer(job=job.id)

    def then(self, upload: Upload, job: Job) -> None:
        raise NotImplementedError


class LookHandler(_Working):
    """`POST`: what would happen; nothing is stored."""

    task = "look"

    def then(self, upload: Upload, job: Job) -> None:
        if job.state == "done":
            upload.seen = job.result


class StoreHandler(_Working):
    """`POST`: store the files; then they are not needed here any more."""

    task = "ingest"

    def then(self, upload: Upload, job: Job) -> None:
        if job.state == "done":
            upload.stored = job.result
            self.desk.uploads.release(upload)


def _check_ready(upload: Upload) -> None:
    if upload.stored is not None:
        raise UsageError(
            "이미 저장한 파일입니다. 다시 가져오려면 새로 올리세요.",
            "these files are stored already; upload them again to bring them in again.",
        )
    if not upload.whole:
        raise UsageError(
            "파일을 다 올린 뒤에 하세요.", "wait until the files are here."
        )


def _announced(told: Any) -> list[tuple[str, int]]:
    """Names and sizes as the browser announces them."""
    if not isinstance(told, list):
        raise web.HTTPError(400, "files is no list")
    files = []
    for file in told:
        name, size = (
            (file.get("name"), file.get("size")) if isinstance(file, dict) else ("", -1)
        )
        if (
            not isinstance(name, str)
            or not isinstance(size, int)
            or isinstance(size, bool)
        ):
            raise web.HTTPError(400, "a file has no name or size")
        if not 0 <= size <= LARGEST or len(name) > LONGEST_NAME:
            raise web.HTTPError(400, "a file's name or size is out of range")
        files.append((name, size))
    return files
