"""The list of jobs: how far each is, stopping one, taking one off."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from kamp_lib.workspace.handlers.base import Handler


class JobsHandler(Handler):
    """`GET`: the list, drawn, and what the page has to know of it."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        jobs = self.desk.jobs.shown()
        self.answer(
            html=self.draw("jobs.html", jobs=jobs),
            busy=self.desk.jobs.busy,
            jobs=[
                {"id": j.id, "task": j.task, "state": j.state, "subject": j.subject}
                for j in self.desk.jobs.jobs.values()
                if j.shown
            ],
        )


class JobHandler(Handler):
    """`DELETE`: take an ended job off the list."""

    @web.authenticated
    @authorized
    async def delete(self, job_id: str) -> None:
        self.desk.jobs.dismiss(job_id)
        self.answer(removed=job_id)


class CancelHandler(Handler):
    """`POST`: stop a job."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        await self.desk.jobs.cancel(job_id)
        self.answer(state=self.desk.jobs.job(job_id).state)
