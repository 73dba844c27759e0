"""What a person chose in the form of an upload, checked before any job is told of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kamp_lib.catalog import equipment_types
from kamp_lib.datasets.options import DateOrder, Layout, Personal
from kamp_lib.errors import UsageError
from kamp_lib.workspace.uploads import Upload

MOST_COLUMNS = 10_000
Line = Annotated[str, Field(max_length=300)]


class Edit(BaseModel):
    """A column that a person corrected."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    unit: Annotated[str, Field(max_length=60)] | None = None


class Choices(BaseModel):
    """The form beside an upload."""

    model_config = ConfigDict(extra="forbid")

    equipment: Line
    dataset: Line | None = None
    replace: bool = False
    labels: Annotated[int, Field(ge=0)] | None = None  # number of the uploaded file
    on: Line | None = None
    sheet: Line | None = None
    dates: DateOrder | None = None
    layout: Layout | None = None
    personal: Personal = "mask"
    fixes: Annotated[list[Line], Field(max_length=200)] | None = None
    password: Annotated[str, Field(max_length=1000)] | None = None
    edits: Annotated[dict[Line, Edit], Field(max_length=MOST_COLUMNS)] = Field(
        default_factory=dict
    )

    @field_validator(
        "dataset", "labels", "on", "sheet", "dates", "layout", "password", mode="before"
    )
    @classmethod
    def _nothing_is_none(cls, told: Any) -> Any:
        return None if told == "" else told

    @field_validator("equipment")
    @classmethod
    def _is_known(cls, told: str) -> str:
        if told not in equipment_types():
            raise ValueError("unknown equipment")
        return told

    @classmethod
    def checked(cls, told: Any) -> Choices:
        """The form as the browser sent it.

        Raises
        ------
        UsageError
            Naming the first field that is wrong.
        """
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])[:60] or "-"
            raise UsageError(
                f"입력한 값이 올바르지 않습니다({field}). 고쳐서 다시 하세요.",
                f"a value is not right ({field}); mend it and try again.",
            ) from error

    def request(self, upload: Upload) -> dict[str, Any]:
        """What the job is told: the files and everything that was decided.

        Raises
        ------
        UsageError
            When a file was named for the labels that is not there.
        """
        told = self.model_dump(exclude_none=True, exclude={"labels", "edits"})
        told["files"] = [str(path) for path in upload.tops()]
        if self.labels is not None:
            if self.labels >= len(upload.files):
                raise UsageError(
                    "판정 파일을 다시 고르세요.", "choose the label file again."
                )
            told["labels"] = str(upload.files[self.labels].path)
        seen = upload.seen
        if seen is not None and seen["equipment"] != self.equipment:
            # what was corrected and ticked was said of another machine
            told.pop("fixes", None)
        elif seen is not None and self.edits:
            told["mapping"] = seen["mapping"]
            told["mapping_to"] = str(upload.mapping_file)
            told["edits"] = {
                source: edit.model_dump(exclude_none=True)
                for source, edit in self.edits.items()
            }
        return told

    def kept(self) -> dict[str, Any]:
        """What is remembered of it for the page: everything but the password."""
        return self.model_dump(exclude={"password", "edits"})
