"""A batch on a Dask cluster: a task per run, each inside its company's walls there.

Every Dask worker sees the same KAMP_HOME (and database) as this machine, through shared
storage; an order and its outcome are all that travels. A company's orders go to one Dask
worker as far as that leaves none idle, so that its walled worker is used again. When a
Dask worker is lost, its orders are done elsewhere; what it had finished is told already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kamp_lib.fleet.cluster_check import check, connected, nothing_lost
from kamp_lib.fleet.crew import do_order, end_crew
from kamp_lib.fleet.orders import Order, Outcome
from kamp_lib.hub.jobs import JobLimits
from kamp_lib.text import Text

if TYPE_CHECKING:
    from distributed import Client, Future

Ended = Callable[[Outcome], None]
LOST = Text(
    "이 분석을 맡은 Dask 작업자가 거듭 꺼졌습니다. 그 컴퓨터의 메모리와 로그를 확인하세요.",
    "the Dask workers that had this run were lost one after the other; look at their"
    " memory and logs.",
)
CUT_OFF = Text(
    "Dask 스케줄러와 연결이 끊겼습니다. 같은 명령을 다시 실행하면 이어서 합니다.",
    "the connection to the Dask scheduler was lost; the same command goes on from here.",
)


def run_on_cluster(
    orders: Sequence[Order],
    address: str,
    *,
    limits: JobLimits,
    ended: Ended,
) -> None:
    """Do all orders on the cluster; `ended` hears of each in this thread.

    Raises
    ------
    KampError
        When the cluster cannot be used; then nothing has been run.
    """
    with connected(address) as client:
        check(client, address)
        futures = _submit(client, orders, limits)
        try:
            _gather(client, futures, ended)
        finally:
            client.cancel(list(futures))
            with nothing_lost():
                client.run(end_crew)


def _submit(
    client: Client, orders: Sequence[Order], limits: JobLimits
) -> dict[Future, Order]:
    places = assign(orders, client.nthreads())
    return {
        client.submit(
            do_order,
            order.model_dump(mode="json"),
            asdict(limits),
            workers=[place],
            allow_other_workers=True,
            pure=False,
        ): order
        for order, place in zip(orders, places, strict=True)
    }


def assign(orders: Sequence[Order], threads: dict[str, int]) -> list[str]:
    """The Dask worker that each order should go to, if it can.

    Companies with most orders come first; each goes to the worker with most room, and to
    the next when that one has its fair share.
    """
    fair = len(orders) / sum(threads.values())
    room = {place: fair * n for place, n in threads.items()}
    counts = Counter(order.tenant for order in orders)
    placed: dict[str, list[str]] = {}
    for tenant, count in counts.most_common():
        placed[tenant] = []
        while len(placed[tenant]) < count:
            place = max(room, key=lambda where: room[where])
            left = count - len(placed[tenant])
            taken = min(left, max(1, round(room[place])))
            room[place] -= taken
            placed[tenant] += [place] * taken
    return [placed[order.tenant].pop() for order in orders]


def _gather(client: Client, futures: dict[Future, Order], ended: Ended) -> None:
    from distributed import as_completed

    for future in as_completed(list(futures), loop=client.loop):
        ended(_outcome(future, futures[future]))
        # else its worker's end would have it done again
        future.release()


def _outcome(future: Future, order: Order) -> Outcome:
    from distributed import KilledWorker

    if future.status == "finished":
        return Outcome.model_validate(future.result())
    error: Any = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        return Outcome(order=order, status="failed", said=LOST)
    if error is None:
        return Outcome(order=order, status="stopped", said=CUT_OFF)
    told = f"{type(error).__name__}: {error}"[:300]
    return Outcome(order=order, status="failed", said=Text(told, told))
