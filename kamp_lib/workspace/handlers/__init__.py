"""The addresses below `/kamp/`: signed-in people only, HTML fragments and small JSON."""

from __future__ import annotations

from kamp_lib.workspace.handlers.base import Handler
from kamp_lib.workspace.handlers.documents import (
    DatasetPageHandler,
    FontHandler,
    RunPageHandler,
)
from kamp_lib.workspace.handlers.jobs import CancelHandler, JobHandler, JobsHandler
from kamp_lib.workspace.handlers.uploads import (
    LookHandler,
    PieceHandler,
    StoreHandler,
    UploadHandler,
    UploadsHandler,
)
from kamp_lib.workspace.handlers.views import (
    AnalyseView,
    DatasetsView,
    IntakeView,
    ModelView,
    StartView,
)
from kamp_lib.workspace.handlers.work import (
    PublishHandler,
    RunsHandler,
    UndoHandler,
    WithdrawHandler,
)

ID = r"([A-Za-z0-9_-]{8,40})"
NAME = r"([a-z0-9][a-z0-9_-]{0,59})"
RUN = r"([0-9]{8}-[0-9]{6}-[a-z0-9-]{1,100})"

ADDRESSES: list[tuple[str, type[Handler]]] = [
    (r"view/start", StartView),
    (r"view/datasets", DatasetsView),
    (rf"view/intake/{ID}", IntakeView),
    (rf"view/analyse/{NAME}", AnalyseView),
    (rf"view/model/{NAME}", ModelView),
    (r"uploads", UploadsHandler),
    (rf"uploads/{ID}", UploadHandler),
    (rf"uploads/{ID}/([0-9]{{1,6}})", PieceHandler),
    (rf"uploads/{ID}/look", LookHandler),
    (rf"uploads/{ID}/store", StoreHandler),
    (r"jobs", JobsHandler),
    (rf"jobs/{ID}", JobHandler),
    (rf"jobs/{ID}/cancel", CancelHandler),
    (r"runs", RunsHandler),
    (rf"runs/{RUN}/publish", PublishHandler),
    (rf"runs/{RUN}/withdraw", WithdrawHandler),
    (rf"runs/{RUN}/page", RunPageHandler),
    (rf"datasets/{NAME}/undo", UndoHandler),
    (rf"datasets/{NAME}/page", DatasetPageHandler),
    (r"fonts/([A-Za-z.-]{1,60}\.woff)", FontHandler),
]
