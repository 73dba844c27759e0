"""Whether a Dask cluster can be used: it answers, has workers, and is as we are."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kamp_lib.errors import KampError, UsageError
from kamp_lib.fleet.record import batches_folder, write_whole
from kamp_lib.settings import package_version

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 5
# Packages that decide what travels and how it is read.
SAME = ("distributed", "dask", "msgpack", "cloudpickle")
MARK = "mark"


def check_cluster(address: str) -> None:
    """Refuse a cluster that cannot be used.

    Raises
    ------
    KampError
        One sentence: it does not answer, has no workers, is of another version, or sees
        another KAMP_HOME.
    """
    with connected(address) as client:
        check(client, address)


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the cluster."""
    distributed = _library()
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise KampError(
            f"Dask 스케줄러가 답하지 않습니다: {address}. KAMP_DASK 주소와 스케줄러를 확인하세요.",
            f"the Dask scheduler does not answer: {address}. Check KAMP_DASK and the scheduler.",
        ) from error
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"KAMP_DASK 주소가 올바르지 않습니다: {address}. 예: tcp://10.0.0.5:8786",
            f"KAMP_DASK is no address: {address}; for example tcp://10.0.0.5:8786",
        ) from error
    try:
        yield client
    finally:
        client.close()


def _library() -> ModuleType:
    try:
        import distributed
    except ModuleNotFoundError:
        raise KampError(
            "KAMP_DASK를 쓰려면 distributed 패키지가 필요합니다. 설치: pip install 'kamp-workbench[dask]'",
            "KAMP_DASK needs the package distributed; install it: pip install 'kamp-workbench[dask]'",
        ) from None
    return distributed


def check(client: Client, address: str) -> None:
    """As `check_cluster`, with a client that is there."""
    versions: Any = client.get_versions()
    here = mark()
    own = _known(versions["client"])
    others = {"scheduler": versions["scheduler"], **versions["workers"]}
    if len(others) == 1:
        raise KampError(
            f"Dask 스케줄러({address})에 작업자가 없습니다. 먼저 시작하세요: dask worker {address}",
            f"the Dask scheduler ({address}) has no workers; start some: dask worker {address}",
        )
    for where, told in others.items():
        check_versions(where, own, _known(told))
    try:
        places = client.run(facts)
    except ImportError as error:
        raise KampError(
            f"Dask 작업자에 KAMP 워크벤치가 설치되어 있지 않습니다({error}). 같은 버전을 설치하세요.",
            f"KAMP Workbench is not installed on a Dask worker ({error}); install the same version.",
        ) from error
    for where, (version, home) in places.items():
        check_versions(where, {"kamp-workbench": package_version()}, {"kamp-workbench": version})  # fmt: skip
        if home != here:
            raise KampError(
                f"Dask 작업자({where})가 다른 KAMP_HOME을 봅니다. 공유 저장소의 같은 폴더를 쓰게 하세요.",
                f"the Dask worker {where} sees another KAMP_HOME; give it the same folder on"
                " shared storage.",
            )


def check_versions(where: str, own: dict[str, str], other: dict[str, str]) -> None:
    """Refuse another version of anything that both ends must have alike."""
    for package, here in own.items():
        there = other.get(package, "-")
        if here != there:
            raise KampError(
                f"Dask({where})의 {package} 버전이 다릅니다: 여기 {here}, 거기 {there}."
                " 같은 버전으로 맞추세요.",
                f"{package} on Dask ({where}) is another version: {here} here, {there} there."
                " Use the same versions.",
            )


def _known(told: dict[str, dict[str, str]]) -> dict[str, str]:
    python = ".".join(str(told["packages"].get("python", "")).split(".")[:2])
    found = {name: str(told["packages"].get(name)) for name in SAME}
    return {"python": python, **found}


def facts() -> tuple[str, str]:
    """What a Dask worker says of itself: our version there, and which KAMP_HOME it sees."""
    return package_version(), seen_mark()


def mark() -> str:
    """A word that lies in this KAMP_HOME and in no other."""
    if not seen_mark():
        batches_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(batches_folder() / MARK, secrets.token_hex(8))
    return seen_mark()


def seen_mark() -> str:
    """The word of the KAMP_HOME that this process sees."""
    try:
        return (batches_folder() / MARK).read_text(encoding="utf-8")
    except OSError:
        return ""


@contextmanager
def nothing_lost() -> Iterator[None]:
    """For a last courtesy to a cluster that may be gone."""
    try:
        yield
    except (OSError, TimeoutError):
        return
