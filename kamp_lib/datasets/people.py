"""Nobody's name gets past the door: personal data masked, refused, or kept on request.

What is masked is masked everywhere: in the rows, in the lines kept in quarantine, in the
examples of findings. The file as it came is then not kept either.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

import pandas as pd
import pyarrow as pa

from kamp_lib.datasets.checks.personal import KINDS, personal_finding
from kamp_lib.datasets.options import Personal as Choice
from kamp_lib.datasets.privacy import Personal, Veil, masked, personal_columns
from kamp_lib.datasets.raw import PROVENANCE
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

KEY_BYTES = 32


@dataclass(frozen=True)
class Guarded:
    """What may be stored; `masked` says that something was hidden in it."""

    frame: pd.DataFrame
    rejected: pd.DataFrame
    cells: pa.Table
    findings: list[Finding]
    masked: bool = False


def guarded(
    open_: Guarded, tenant: Tenant, choice: Choice, *, remember_key: bool
) -> Guarded:
    """Do with personal data what was chosen.

    Parameters
    ----------
    open_ : Guarded
        As it was read.
    tenant : Tenant
        Whose secret makes the pseudonyms.
    choice : {"mask", "refuse", "keep"}
    remember_key : bool
        False where nothing may be written: pseudonyms then hold for this time only.

    Raises
    ------
    KampError
        When personal data are there and refused, naming the columns and no value.
    """
    if choice == "keep":
        return open_
    found = personal_columns(open_.frame)
    if not found:
        return open_
    if choice == "refuse":
        raise _refused(found)
    key = pseudonym_key(tenant, remember=remember_key)
    veil = Veil(open_.frame, found, key)
    frame = open_.frame.copy(deep=False)
    for person in found:
        frame[person.column] = masked(frame[person.column], person.kind, key)
    said = personal_finding(found, masked=True)
    return Guarded(
        frame=frame,
        rejected=_veiled_rows(open_.rejected, veil),
        cells=_veiled_cells(open_.cells, veil),
        findings=[said, *(_veiled_finding(f, veil) for f in open_.findings)],
        masked=True,
    )


def pseudonym_key(tenant: Tenant, *, remember: bool) -> bytes:
    """The company's secret: one name, one pseudonym, this month and the next."""
    path: Path = tenant.data / ".pseudonyms.key"
    if path.is_symlink():
        raise KampError(
            f"{path}은(는) 링크여서 쓸 수 없습니다. 지우고 다시 하세요.",
            f"{path} is a link and is not used; remove it and try again.",
        )
    if path.is_file():
        return path.read_bytes()
    key = token_bytes(KEY_BYTES)
    if not remember:
        return key
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-pseudonyms")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:  # another ingest was a moment faster
        return path.read_bytes()
    finally:
        partial.unlink()
    return key


def _veiled_rows(rejected: pd.DataFrame, veil: Veil) -> pd.DataFrame:
    told = [c for c in rejected.columns if c not in (*PROVENANCE, "reason_code")]
    rejected = rejected.copy(deep=False)
    for column in told:
        hidden = [v if v is None else veil(str(v)) for v in rejected[column]]
        rejected[column] = pd.Series(hidden, rejected.index, dtype="object")
    return rejected


def _veiled_cells(cells: pa.Table, veil: Veil) -> pa.Table:
    for place, field in enumerate(cells.schema):
        if pa.types.is_string(field.type) and field.name not in PROVENANCE:
            told = cells[place].to_pylist()
            hidden = [v if v is None else veil(v) for v in told]
            cells = cells.set_column(place, field.name, pa.array(hidden, pa.string()))
    return cells


def _veiled_finding(finding: Finding, veil: Veil) -> Finding:
    return finding.model_copy(
        update={
            "examples": [veil(e) for e in finding.examples],
            "message_ko": veil(finding.message_ko),
            "message_en": veil(finding.message_en),
        }
    )


def _refused(found: Sequence[Personal]) -> KampError:
    said = [
        Text(f"{p.column} ({KINDS[p.kind].ko})", f"{p.column} ({KINDS[p.kind].en})")
        for p in found
    ]
    ko, en = ", ".join(s.ko for s in said), ", ".join(s.en for s in said)
    return KampError(
        f"개인정보가 들어 있어 저장하지 않았습니다: {ko}. 열을 빼고 다시 내보내거나,"
        " 가려서 저장하려면 --personal mask 를 쓰세요.",
        f"nothing was stored, personal data are in the file: {en}. Export it without them,"
        " or use --personal mask to have them masked.",
    )
