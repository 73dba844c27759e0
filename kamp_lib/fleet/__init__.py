"""Many companies x many standard models: batches of runs, here or on a cluster, and
schedules that start them.

Every run happens inside its company's walls (`kamp_lib.hub.workers`); what has been done
with the same model, data and parameters is not done again, which is also how a batch that
was interrupted goes on.
"""

from kamp_lib.fleet.batch import run_batch
from kamp_lib.fleet.local import threads_each
from kamp_lib.fleet.orders import Order, Outcome
from kamp_lib.fleet.planning import Plan, Wanted, make_plan
from kamp_lib.fleet.pool import Pool
from kamp_lib.fleet.record import Batch, find_batch, list_batches

__all__ = [
    "Batch",
    "Order",
    "Outcome",
    "Plan",
    "Pool",
    "Wanted",
    "find_batch",
    "list_batches",
    "make_plan",
    "run_batch",
    "threads_each",
]
