"""What a fork could carry along, or leave behind, that a kernel would suffer from."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from kernels.live_kernel import live_kernel, servers, write_spec

pytestmark = pytest.mark.e2e

DATA = """
import numpy as np
X = np.random.default_rng(0).normal(size=(2000, 8)); y = (X[:, 0] > 0).astype(int)
"""
OURS = (
    "kamp_lib.runs kamp_lib.reports kamp_lib.learning.quality_classification"
    " kamp_lib.learning.tool_wear kamp_lib.learning.vision kamp_lib.datasets deltalake"
)
TRAINING = {
    "XGBoost": "import xgboost; xgboost.XGBClassifier(n_estimators=5, n_jobs=2).fit(X, y)",
    "histogram boosting": "from sklearn.ensemble import HistGradientBoostingClassifier as H;"
    " H(max_iter=5).fit(X, y)",
    "forest": "from sklearn.ensemble import RandomForestClassifier as R;"
    " R(n_estimators=5, n_jobs=2).fit(X, y)",
    "BLAS": "np.linalg.svd(X); X @ X.T",
    "in a thread": "import threading, xgboost;"
    " t = threading.Thread(target=lambda: xgboost.XGBClassifier(n_estimators=3).fit(X, y));"
    " t.start(); t.join()",
    "in a process": "from concurrent.futures import ProcessPoolExecutor;"
    " pool = ProcessPoolExecutor(1); pool.submit(np.linalg.svd, X[:50]).result(); pool.shutdown()",
    "numba": "import numba; numba.njit(lambda x: x + 1)(1)",
    "Arrow": "import pyarrow as pa, pyarrow.compute as pc;"
    " pc.sum(pa.array(np.arange(1e6))); pa.table({'a': np.arange(1e6)}).sort_by('a')",
}


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("kind", TRAINING)
def test_training_right_after_the_fork_comes_to_an_end(kind: str) -> None:
    with live_kernel("kamp") as kernel:
        assert kernel.forked
        kernel.said(DATA + TRAINING[kind], timeout=30)


@pytest.mark.usefixtures("kernels")
def test_models_use_as_many_threads_as_the_environment_says() -> None:
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    with live_kernel("kamp", env=env) as kernel:
        assert kernel.forked
        counts = kernel.value(
            "[d['num_threads'] for d in __import__('threadpoolctl').threadpool_info()"
            " if d['internal_api'] == 'openblas']"
        )
        assert counts
        assert set(counts) == {min(2, len(os.sched_getaffinity(0)))}
        assert kernel.value("__import__('os').environ['OPENBLAS_NUM_THREADS']") == "2"


@pytest.mark.usefixtures("kernels")
def test_random_numbers_differ_between_kernels() -> None:
    expressions = (
        "__import__('random').random()",
        "float(__import__('numpy').random.rand())",
        "str(__import__('uuid').uuid4())",
        "__import__('multiprocessing').current_process().authkey.hex()",
        "__import__('tempfile').mktemp()",
        "float(__import__('scipy.stats', fromlist=['norm']).norm.rvs())",
    )
    drawn = []
    for _ in range(2):
        with live_kernel("kamp") as kernel:
            assert kernel.forked
            drawn.append([kernel.value(expression) for expression in expressions])
    for expression, one, other in zip(expressions, *drawn, strict=True):
        assert one != other, expression


@pytest.mark.usefixtures("kernels")
def test_a_kernel_does_not_see_what_another_did() -> None:
    with live_kernel() as one:
        one.said(
            "import numpy; numpy.of_one = 1; import os; os.environ['OF_ONE'] = '1'"
        )
        with live_kernel() as other:
            assert other.value("hasattr(__import__('numpy'), 'of_one')") is False
            assert other.value("'OF_ONE' in __import__('os').environ") is False


def test_the_server_is_given_no_secret(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret-of-the-hub")
    monkeypatch.setenv("KAMP_FILE_PASSWORD", "secret-of-a-file")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret-of-a-proxy@proxy")
    with live_kernel() as kernel:
        [server] = servers(own_kernels)
        assert kernel.value("__import__('os').environ['JUPYTERHUB_API_TOKEN']")
        given = Path(f"/proc/{server}/environ").read_bytes()
        assert b"secret" not in given


@pytest.mark.usefixtures("kernels")
def test_a_kernel_has_the_environment_it_was_given_and_nothing_else(
    tmp_path: Path,
) -> None:
    env = {**os.environ, "OF_THIS_KERNEL": "값", "TMPDIR": str(tmp_path)}
    env.pop("USER", None)
    with live_kernel(env=env) as kernel:
        assert kernel.forked
        found = kernel.value("dict(__import__('os').environ)")
        assert found.pop("JPY_PARENT_PID") == str(os.getpid())
        for name in found.keys() - env.keys():
            # set by ipykernel and the libraries themselves, as in any kernel
            assert name in {
                "MPLBACKEND",
                "CLICOLOR",
                "CLICOLOR_FORCE",
                "FORCE_COLOR",
            } | {*("PAGER", "GIT_PAGER", "TERM", "PYDEVD_USE_FRAME_EVAL")}, name
        assert found["OF_THIS_KERNEL"] == "값"
        assert kernel.value("__import__('tempfile').gettempdir()") == str(tmp_path)
        assert (
            kernel.value("__import__('os').popen('echo $OF_THIS_KERNEL').read()")
            == "값\n"
        )


@pytest.mark.usefixtures("kernels")
def test_a_kernel_that_a_kernel_starts_is_forked_too() -> None:
    """Libraries set variables for their children; those are no other wishes."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from kernels.live_kernel import live_kernel\n"
        "with live_kernel('kamp') as inner: print(inner.forked)"
    )
    with live_kernel("kamp") as kernel:
        before = kernel.value("len(__import__('os').environ)")
        kernel.said("import subprocess, sys, sklearn.ensemble, matplotlib.pyplot")
        assert kernel.value("len(__import__('os').environ)") == before
        code = f"print(subprocess.check_output([sys.executable, '-c', {script!r}], text=True))"
        assert kernel.said(code).strip() == "True"


def test_the_provisioner_changes_nothing_in_its_process() -> None:
    code = "import os; before = dict(os.environ); import kamp_lib.kernels.provisioner;"
    code += (
        " import sys; assert dict(os.environ) == before; print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"False\n"


@pytest.mark.usefixtures("own_kernels")
def test_kernels_of_a_person_without_a_home_do_not_take_their_folders_from_each_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_spec(tmp_path / "jupyter", "light", imports=["matplotlib.pyplot"])
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "/proc/nobody")
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    look = "__import__('os').path.isdir(__import__('matplotlib').get_configdir())"
    with live_kernel() as one, live_kernel() as other:
        assert one.forked
        assert one.value(look)
        one.manager.shutdown_kernel(now=False)
        assert other.value(look)


@pytest.mark.usefixtures("kernels")
def test_files_of_the_server_and_of_other_kernels_are_closed() -> None:
    code = """
import os
def links():
    found = []
    for entry in os.listdir('/proc/self/fd'):
        try:
            found.append(os.readlink(f'/proc/self/fd/{entry}').split(':')[0])
        except OSError:
            pass
    return [f for f in found if 'sqlite' not in f]
"""
    with live_kernel() as first, live_kernel(), live_kernel() as last:
        counts = []
        for kernel in (first, last):
            kernel.said(code)
            counts.append(sorted(kernel.value("links()")))
        assert abs(len(counts[0]) - len(counts[1])) <= 3  # connections come and go
        for links in counts:
            assert not any("kamp-kernels" in link for link in links)
            assert sum("pidfd" in link for link in links) <= 1


@pytest.mark.usefixtures("kernels")
def test_a_kernel_works_in_the_folder_and_with_the_umask_of_its_owner(
    tmp_path: Path,
) -> None:
    before = os.umask(0o077)
    try:
        with live_kernel(cwd=str(tmp_path)) as kernel:
            assert kernel.forked
            kernel.said("open('made', 'w').close()")
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("kernels")
def test_output_goes_where_the_owner_wants_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        out, err = (
            stack.enter_context((tmp_path / name).open("w")) for name in ("out", "err")
        )
        with live_kernel(stdout=out, stderr=err) as kernel:
            assert kernel.forked
            kernel.said(
                "import sys; print('of the kernel', file=sys.__stdout__, flush=True)"
            )
            kernel.said("print('its errors', file=sys.__stderr__, flush=True)")
    assert (tmp_path / "out").read_text() == "of the kernel\n"
    assert "its errors" in (tmp_path / "err").read_text()


LIMITED = """
import resource, sys
sys.path.insert(0, {tests!r})
from kernels.live_kernel import live_kernel
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
with live_kernel() as kernel:
    assert kernel.forked
    code = "import numpy as np\\ntry: np.ones(2**29)\\nexcept MemoryError: print('no')"
    print(kernel.said(code), kernel.said("print('well')"))
"""


@pytest.mark.usefixtures("own_kernels")
def test_the_owners_limit_of_memory_holds_for_its_kernels() -> None:
    script = LIMITED.format(tests=str(Path(__file__).parents[1]), limit=3 * 2**30)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["no", "well"], done.stderr


def test_a_limit_set_later_holds_too(own_kernels: Path) -> None:
    with live_kernel():
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        try:
            with live_kernel() as kernel:
                assert kernel.forked
                found = kernel.value("__import__('resource').getrlimit(7)")
                assert found == [300, before[1]]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert servers(own_kernels)


def test_the_server_is_one_thread_with_nothing_shared(kernels: Path) -> None:
    with live_kernel("kamp") as kernel:
        assert kernel.forked
        [server] = [pid for pid in servers(kernels) if _has(pid, "xgboost")]
        assert len(list(Path(f"/proc/{server}/task").iterdir())) == 1
        for line in Path(f"/proc/{server}/maps").read_text().splitlines():
            assert not (line.split()[1].endswith("s") and "w" in line.split()[1]), line


def test_modules_of_this_house_can_be_imported_beforehand(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAMP_KERNELS_IMPORTS", OURS)
    with live_kernel("kamp") as kernel:
        assert kernel.forked
        found = kernel.value("sorted(__import__('sys').modules)")
        assert set(OURS.split()) <= set(found)
        for log in own_kernels.glob("*.log"):
            assert "left to the kernels" not in log.read_text()
        kernel.said(
            "import deltalake, pyarrow\n"
            f"deltalake.write_deltalake({str(tmp_path / 'table')!r}, pyarrow.table({{'a': [1]}}))\n"
            f"print(deltalake.DeltaTable({str(tmp_path / 'table')!r}).to_pyarrow_table())",
            timeout=30,
        )


def test_every_module_of_the_list_can_be_imported_beforehand(kernels: Path) -> None:
    with live_kernel("kamp"):
        [server] = [pid for pid in servers(kernels) if _has(pid, "xgboost")]
        log = Path(f"/proc/{server}/fd/2").resolve().read_text()
        assert "left to the kernels" not in log


def _has(pid: int, module: str) -> bool:
    return module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
