"""Giving old versions up: by age and number, never what a run used unless told so.

First one commit says which versions are given up; then the rows, rejected rows and
original files that no other version needs are deleted, those of undone and replaced
ingests too. A kill in between leaves files that the next writer sweeps. What stays is the
history itself: when, who, how many rows, names of files and columns.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kamp_lib.datasets.storage.commit import commit_retiring
from kamp_lib.datasets.storage.dataset import open_dataset
from kamp_lib.datasets.storage.durable import read_plain, storing, write_durably
from kamp_lib.datasets.storage.lineage import runs_using
from kamp_lib.datasets.storage.log import Commit, Log
from kamp_lib.datasets.storage.store import State, Store, check_name
from kamp_lib.datasets.storage.sweep import forgotten, sweep, unneeded
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant

EVERY = "*"  # in the file of policies: data sets without one of their own
LONGEST_POLICIES = 2**20
HEAD = """\
# 보관 규칙: 최근 keep_versions 개의 판과 keep_days 일 안의 판은 남깁니다. '*' 는 모든 데이터셋입니다.
# Retention: the newest keep_versions versions and those of the last keep_days days stay; '*' is any data set.
"""


class Policy(BaseModel):
    """Versions that are kept: the newest ones, and those that are young enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_versions: int | None = Field(default=None, ge=1)
    keep_days: int | None = Field(default=None, ge=0)

    @property
    def says_nothing(self) -> bool:
        return self.keep_versions is None and self.keep_days is None


class Retained(BaseModel):
    """What retention did, or would do: versions given up, and what that frees."""

    dataset: str
    policy: Policy
    dry_run: bool
    given_up: list[int]
    kept: list[int]
    used: dict[int, list[str]]  # kept only because these runs read them
    unreadable_runs: list[str]  # which versions these read is not known
    files: int
    bytes: int


def retain(
    tenant: Tenant,
    dataset: str,
    policy: Policy,
    *,
    even_used: bool = False,
    dry_run: bool = False,
) -> Retained:
    """Give up the versions that a policy does not keep, and delete what only they need.

    Parameters
    ----------
    tenant : Tenant
        Whose data set.
    dataset : str
        Its name.
    policy : Policy
        A version stays when either rule keeps it; the newest always does.
    even_used : bool, default False
        Give up versions, too, that a run bundle names.
    dry_run : bool, default False
        Tell what would happen; delete nothing.
    """
    if policy.says_nothing:
        raise UsageError(
            "무엇을 남길지 적어 주세요: --keep-versions 나 --keep-days.",
            "say what to keep: --keep-versions or --keep-days.",
        )
    open_dataset(tenant, dataset)
    store = Store(tenant.data / check_name(dataset))
    if dry_run:
        return _planned(tenant, State(store), policy, even_used, dry_run=True)
    with storing(store.folder), store.locked():
        plan = _planned(tenant, State(store), policy, even_used, dry_run=False)
        if plan.given_up:
            commit_retiring(store, plan.given_up)
        sweep(store)
    return plan


def _planned(
    tenant: Tenant, state: State, policy: Policy, even_used: bool, *, dry_run: bool
) -> Retained:
    alive = [c for c in state.log.commits if c.version not in state.log.retired]
    by_policy = _kept(alive, policy)
    runs = runs_using(tenant.runs, state.store.name)
    used: dict[int, list[str]] = {}
    for run in runs.runs:
        if run.dataset is not None and run.dataset.version not in by_policy:
            used.setdefault(run.dataset.version, []).append(run.run)
    kept = by_policy if even_used else by_policy | used.keys()
    given_up = [c.version for c in alive if c.version not in kept]
    then = State(state.store, log=_log_after(state.log, given_up))
    files = [*unneeded(then), *forgotten(then)]
    return Retained(
        dataset=state.store.name,
        policy=policy,
        dry_run=dry_run,
        given_up=given_up,
        kept=[c.version for c in alive if c.version in kept],
        used={} if even_used else used,
        unreadable_runs=runs.unreadable,
        files=len(files),
        bytes=sum(path.lstat().st_size for path in files),
    )


def _kept(alive: list[Commit], policy: Policy) -> set[int]:
    """Versions that the policy keeps; those that changed no row do not count."""
    newest = alive[-1].version
    changed = [c for c in alive if c.op not in ("retain", "other")]
    kept = {newest}
    if policy.keep_versions is not None:
        kept |= {c.version for c in changed[-policy.keep_versions :]}
    if policy.keep_days is not None:
        since = datetime.now(UTC) - timedelta(days=policy.keep_days)
        kept |= {c.version for c in alive if c.time_ms >= since.timestamp() * 1000}
    return kept


def _log_after(log: Log, given_up: list[int]) -> Log:
    last = Commit(len(log.commits) + 1, "retain", retired=tuple(given_up))
    return Log((*log.commits, last))


def policies_path(tenant: Tenant) -> Path:
    """Where the policies of a company stand."""
    return tenant.data / "retention.yaml"


def policy_for(tenant: Tenant, dataset: str) -> Policy:
    """The remembered policy of a data set, else that of all; may say nothing."""
    known = _policies(policies_path(tenant))
    return known.get(dataset) or known.get(EVERY) or Policy()


def remember_policy(tenant: Tenant, dataset: str | None, policy: Policy) -> None:
    """Keep a policy for a data set, or for all that have none."""
    path = policies_path(tenant)
    known = _policies(path) | {dataset or EVERY: policy}
    plain = {name: p.model_dump(exclude_none=True) for name, p in known.items()}
    with storing(path.parent):
        write_durably(path, (HEAD + yaml.safe_dump(plain, allow_unicode=True)).encode())


def _policies(path: Path) -> dict[str, Policy]:
    try:
        content = yaml.safe_load(read_plain(path, LONGEST_POLICIES))
        return {str(name): Policy(**told) for name, told in (content or {}).items()}
    except FileNotFoundError:
        return {}
    except (
        OSError, yaml.YAMLError, ValidationError, TypeError, AttributeError
    ) as error:  # fmt: skip
        raise KampError(
            f"보관 규칙 파일을 읽을 수 없습니다: {path}. keep_versions 와 keep_days 만 적으세요.",
            f"cannot read the retention policies {path}; write keep_versions and keep_days only.",
        ) from error
