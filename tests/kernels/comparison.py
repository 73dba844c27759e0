"""Cells in which a forked kernel could betray itself, and the state of a process in one look."""

from __future__ import annotations

CELLS = [
    # words and tables
    "print('한글 출력'); '프레스 1호기'",
    """
import numpy as np, pandas as pd
pd.DataFrame(np.arange(120).reshape(4, 30), columns=[f'온도 {i}' for i in range(30)])
""",
    "print(pd.DataFrame({'금형': ['가', '나'], '값': [1.5, None]}))",
    "pd.Series(range(100), name='샷')",
    "pd.get_option('display.max_columns'), pd.get_option('display.encoding')",
    # figures
    """
import matplotlib, matplotlib.pyplot as plt
plt.plot([1, 3, 2]); plt.title('plot')
""",
    "fig, ax = plt.subplots(figsize=(2, 1)); ax.bar([1], [3]); plt.show(); print('after')",
    "plt.figure(figsize=(1, 1)); plt.figure(figsize=(1, 1)); print('two')",
    "fig",
    "matplotlib.get_backend(), plt.isinteractive(), plt.get_fignums()",
    """
%matplotlib inline
%config InlineBackend.figure_formats = ['svg']
plt.rcParams['svg.hashsalt'] = 'same'; plt.rcParams['svg.fonttype'] = 'none'
fig, ax = plt.subplots(figsize=(1, 1)); ax.plot([1, 2])
""",
    "pd.Series([1, 2, 3]).plot(figsize=(1, 1))",
    # widgets
    """
import ipywidgets as widgets
slider = widgets.IntSlider(value=3, description='속도'); slider
""",
    """
seen = []
slider.observe(lambda change: seen.append(change.new), 'value'); slider.value = 7; seen
""",
    """
out = widgets.Output()
with out:
    print('inside')
display(out); out.outputs
""",
    "widgets.interact(lambda x: print(x), x=(1, 4)); None",
    "sorted(get_ipython().kernel.comm_manager.targets), len(widgets.Widget.widgets) > 0",
    "from tqdm.auto import tqdm; tqdm.__module__",
    # asynchronous
    "import asyncio; await asyncio.sleep(0.01); print('awaited')",
    "await asyncio.gather(*[asyncio.sleep(0.01, i) for i in range(3)])",
    """
async def numbers():
    for i in range(3):
        yield i
[i async for i in numbers()]
""",
    "task = asyncio.get_event_loop().create_task(asyncio.sleep(0, 'done')); await task",
    # processes and threads
    """
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
def square(x): return x * x
with ProcessPoolExecutor(2) as pool: print(list(pool.map(square, range(5))))
with ThreadPoolExecutor(2) as pool: print(list(pool.map(square, range(5))))
""",
    """
import multiprocessing, math
with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(math.sqrt, [4, 9]))
with multiprocessing.Pool(2) as pool: print(pool.map(square, [4, 9]))
""",
    "from joblib import Parallel, delayed; Parallel(n_jobs=2)(delayed(square)(i) for i in range(4))",
    """
import subprocess, sys
look = 'import os; print([os.environ.get(n) for n in ("OPENBLAS_NUM_THREADS", "MPLBACKEND")])'
print(subprocess.run([sys.executable, '-c', look], capture_output=True, text=True).stdout)
""",
    # the shell
    "!echo 한글 && pwd | xargs basename && ulimit -c",
    "%%bash\necho from bash; echo to stderr >&2; exit 0",
    "lines = !printf 'a\\nb'\nlines",
    "%%writefile module_of_mine.py\nANSWER = 42",
    "import module_of_mine; module_of_mine.ANSWER",
    "%env KAMP_EXAMPLE=5\n!echo $KAMP_EXAMPLE",
    "%pwd",
    "%%capture held\nprint('kept')",
    "held.stdout",
    "%who str",
    # what goes past Python
    "import os; _ = os.write(1, b'written to 1\\n'); import time; time.sleep(0.3)",
    """
import ctypes
libc = ctypes.CDLL(None); libc.puts(b'from C'); libc.fflush(None); time.sleep(0.3)
""",
    "_ = subprocess.run(['echo', 'from a child']); time.sleep(0.3)",
    # warnings and logs
    "import warnings; warnings.warn('careful')",
    "warnings.warn('old', DeprecationWarning)",
    "np.array([1.0]) / 0",
    "import logging; logging.warning('logged'); logging.info('not shown')",
    "print('to stderr', file=sys.stderr)",
    # errors
    "def f(x):\n    return 1 / x\ndef g(x):\n    return f(x)\ng(0)",
    "1 +",
    "pd.DataFrame({'a': [1]})['b']",
    "raise ValueError('한글 오류')",
    "import sys; sys.exit(3)",
    "%tb",
    "%no_such_magic",
    "assert 1 == 2, 'no'",
    """
class Quiet(Exception):
    def _render_traceback_(self): return ['rendered']
raise Quiet()
""",
    "import threading\nt = threading.Thread(target=lambda: print('in a thread')); t.start(); t.join()",
    # displays
    "from IPython.display import *; display(HTML('<b>굵게</b>'), Markdown('*md*'), Latex('$x$'))",
    "display(JSON({'a': 1}), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))",
    "handle = display('first', display_id='one'); handle.update('second')",
    "print('gone'); clear_output(); print('stays')",
    "class R:\n    def _repr_html_(self): return '<i>r</i>'\n    def __repr__(self): return 'r'\nR()",
    "1; 2",
    "_, __, Out.keys() == set(Out)",
    "import pickle; pickle.loads(pickle.dumps(R)) is R, R.__module__, __name__",
    # models
    """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(0); X = rng.normal(size=(300, 4)); y = (X[:, 0] > 0).astype(int)
make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
""",
    """
import xgboost
data = xgboost.DMatrix(X, y)
wish = {'objective': 'binary:logistic', 'seed': 1}
booster = xgboost.train(wish, data, 3, evals=[(data, 'train')])
booster.predict(data)[:3].round(4).tolist()
""",
    """
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
boosting = HistGradientBoostingClassifier(random_state=0, max_iter=5)
print(boosting.fit(X, y).predict_proba(X)[:2].round(4))
forest = RandomForestClassifier(random_state=0, n_estimators=5, n_jobs=2)
print(forest.fit(X, y).predict_proba(X)[:2])
""",
    "np.linalg.svd(X, compute_uv=False).round(6)",
    "import random; random.seed(1); np.random.seed(1); random.random(), np.random.rand()",
    "get_ipython().__class__, sys.argv[0].endswith('ipykernel_launcher.py'), len(sys.argv)",
    "%load_ext autoreload\n%autoreload 2\nget_ipython().history_manager.enabled",
    "[i for i in range(3)][10]",
]

STATE = r"""
import asyncio, builtins, decimal, gc, locale, logging, multiprocessing, os, resource, signal
import sys, tempfile, threading, time, warnings
import ipywidgets, matplotlib, matplotlib.pyplot, numpy, pandas, scipy.stats, sklearn.ensemble
import threadpoolctl, xgboost

def name(thing):
    return getattr(thing, '__qualname__', str(thing))

def files():
    found = []
    for entry in os.listdir('/proc/self/fd'):
        try:
            link = os.readlink(f'/proc/self/fd/{entry}')
        except OSError:
            continue
        # a journal comes and goes, and with it a handle of its folder, which SQLite syncs;
        # the owner's handle is the one file more
        journal = 'sqlite-' in link or link.endswith('/profile_default')
        if not journal and 'pidfd' not in link:
            found.append(link.split(':')[0])
    return sorted(found)

def status():
    kinds = ('SigBlk', 'SigIgn', 'SigCgt', 'Cap', 'NoNew', 'Seccomp', 'Groups', 'Uid', 'Gid')
    with open('/proc/self/status') as lines:
        return [line for line in lines if line.startswith(kinds)]

def umask():
    mask = os.umask(0o22)
    os.umask(mask)
    return mask

def options():
    registered = pandas._config.config._registered_options
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return [(k, str(pandas.get_option(k)), str(v.defval)) for k, v in registered.items()]

def limits():
    names = [n for n in dir(resource) if n.startswith('RLIMIT_')]
    return {n: resource.getrlimit(getattr(resource, n)) for n in names}

def state():
    shell = get_ipython()
    main = sys.modules['__main__']
    standard = (sys.__stdout__, sys.__stderr__)
    stat = open('/proc/self/stat').read().rpartition(')')[2].split()
    loggers = [logging.getLogger(n) for n in ('', 'tornado', 'traitlets', 'matplotlib', 'asyncio')]
    return {
        'argv': [os.path.basename(a) for a in sys.argv[:2]] + [len(sys.argv)],
        'original argv': sys.orig_argv[:-1],
        'python': [sys.executable, sys.prefix, sys.path, str(sys.flags), sys.getrecursionlimit()],
        'environment': {k: v for k, v in os.environ.items() if k != 'JPY_PARENT_PID'},
        'folder': os.getcwd(),
        'umask': umask(),
        'limits': limits(),
        'scheduling': [os.nice(0), sorted(os.sched_getaffinity(0))],
        'status': status(),
        'session': [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid(), stat[4]],
        'locale': [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), time.tzname],
        'signals': {s.name: name(signal.getsignal(s)) for s in signal.Signals},
        'files': files(),
        'input': sys.__stdin__.read(),
        'output': [(f.encoding, f.errors, f.line_buffering, f.fileno()) for f in standard],
        'threads': len(threading.enumerate()),
        'collector': [gc.isenabled(), gc.get_threshold(), gc.get_debug()],
        'decimal': str(decimal.getcontext()),
        'logging': [(n.level, [name(type(h)) for h in n.handlers]) for n in loggers],
        'warnings': sorted(
            str((a, getattr(m, 'pattern', m), c.__name__, getattr(o, 'pattern', o), n))
            for a, m, c, o, n in warnings.filters
        ),
        'temporary': tempfile.gettempdir(),
        'pandas': options(),
        'matplotlib': {k: str(v) for k, v in dict(matplotlib.rcParams).items()},
        'numpy': [str(numpy.get_printoptions()), numpy.geterr()],
        'blas': sorted((d['internal_api'], d['num_threads']) for d in threadpoolctl.threadpool_info()),
        'displays': {
            k: sorted(map(str, [*f.type_printers, *f.deferred_printers]))
            for k, f in shell.display_formatter.formatters.items()
        },
        'comms': sorted(shell.kernel.comm_manager.targets),
        'events': {k: sorted(map(name, v)) for k, v in shell.events.callbacks.items()},
        'extensions': sorted(shell.extension_manager.loaded),
        'magics': sorted(shell.magics_manager.magics['line']),
        'names': sorted(shell.user_ns),
        'main': [main.__name__, hasattr(main, '__file__')],
        'loop': name(type(asyncio.get_event_loop_policy())),
        'processes': [
            multiprocessing.get_start_method(allow_none=True),
            multiprocessing.current_process().name,
            len(multiprocessing.active_children()),
        ],
        'hooks': [name(sys.excepthook), name(type(sys.displayhook))],
        'finders': sorted(name(type(f)) for f in sys.meta_path),
        'builtins': sorted(vars(builtins)),
        'tracing': [sys.gettrace(), sys.getprofile()],
    }
"""
