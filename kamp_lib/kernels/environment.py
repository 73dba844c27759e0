"""The part of an environment that matters when modules are imported.

Libraries read some variables once, when they are imported (`TZ`, `OMP_NUM_THREADS`,
`MPLBACKEND`); later changes do nothing. A fork server has imported already, so it can
serve only kernels that want the same values. That same list is all that a fork server
is given of its starter's environment: what is not on it (tokens, passwords, addresses)
it never sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

INLINE = "module://matplotlib_inline.backend_inline"
# Read when Python starts or a library is imported.
FROZEN = (
    *("HOME", "LANG", "LANGUAGE", "LC_*", "TZ", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"),
    *("PYTHON*", "LD_*", "MALLOC_*", "GLIBC_TUNABLES", "VIRTUAL_ENV", "CONDA_PREFIX"),
    *("OMP_*", "GOMP_*", "KMP_*", "MKL_*", "BLIS_*", "NUMEXPR_*", "NUMBA_*", "NPY_*"),
    *("MPL*", "SKLEARN_*", "SCIPY_*", "JOBLIB_*", "LOKY_*", "XGBOOST_*"),
    *("PYDEVD_*", "DEBUGPY_*", "PYZMQ_*"),
    *(
        "ARROW_*",
        "JE_*",
        "_RJEM_*",
        "MIMALLOC_*",
        "OPENBLAS_CORETYPE",
        "OPENBLAS_VERBOSE",
    ),
)
# Needed to run at all; their values at import time are of no account.
CARRIED = ("PATH", "USER", "LOGNAME", "TMPDIR")
# A library that starts threads when it is imported cannot be forked. OpenBLAS gets its
# threads again in each kernel; the thread that tidies jemalloc's memory (of Arrow, of Delta
# Lake) would not survive a fork.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
ASSUMED = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "_RJEM_MALLOC_CONF": "background_thread:false",
    # what ipykernel would set before any library is imported
    "MPLBACKEND": INLINE,
}


def frozen(environment: Mapping[str, str], more: Iterable[str] = ()) -> dict[str, str]:
    """The variables that are read at import, by name; `more` are further patterns."""
    patterns = (*FROZEN, *more)
    found = {
        name: value
        for name, value in environment.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    return ASSUMED | found


def for_server(
    environment: Mapping[str, str], more: Iterable[str] = ()
) -> dict[str, str]:
    """The whole environment of a fork server."""
    carried = {name: environment[name] for name in CARRIED if name in environment}
    return {**carried, **frozen(environment, more), **ONE_THREAD}


def difference(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Names of variables that are not the same in both."""
    names = one.keys() | other.keys()
    return sorted(name for name in names if one.get(name) != other.get(name))


def blas_threads(environment: Mapping[str, str], processors: int) -> int:
    """The number of threads OpenBLAS would take in this environment."""
    for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"):
        # "4,2" is for nested regions: the first counts
        value = environment.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return min(int(value), processors)
    return processors
