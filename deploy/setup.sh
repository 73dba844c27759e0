#!/usr/bin/env bash
# Create the virtual environment $1 with exactly the locked packages. Safe to run again.
set -euo pipefail
venv=${1:-.venv}
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }

find_python() {
  local name
  for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null &&
      "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  say "Python 3.11–3.14이 필요합니다 / Python 3.11 to 3.14 is needed" >&2
  exit 1
}

started=$SECONDS
rm -f "$venv/.ready"
if [ ! -x "$venv/bin/python" ]; then
  python=$(find_python)
  say "가상 환경 만들기 / creating $venv ($("$python" --version))"
  "$python" -m venv "$venv" 2>/dev/null || {
    rm -rf "$venv"
    command -v uv >/dev/null || {
      say "python3-venv 또는 uv를 설치하세요 / install python3-venv or uv" >&2
      exit 1
    }
    uv venv --quiet --seed --python "$python" "$venv"
  }
fi

# uv is the fast way; pip, which every environment has, is the sure one.
say "패키지 설치 / installing the locked packages"
uv=$(command -v uv || true)
if [ -z "$uv" ] && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv 2>/dev/null; then
  uv=$venv/bin/uv
fi
installed=""
if [ -n "$uv" ]; then
  VIRTUAL_ENV=$venv "$uv" pip install --quiet --compile-bytecode --require-hashes -r requirements.lock && installed=1
fi
if [ -z "$installed" ]; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ||
  VIRTUAL_ENV=$venv "$uv" pip install --quiet --no-deps --no-build-isolation -e .

# Compiled once, here: behind the walls nobody can write beside the code, and every start
# would compile all that it imports (pandas and the models: 5 s instead of 2).
"$venv/bin/python" -m compileall -q kamp_lib

# The hub's proxy is a Node program; Node itself comes from PyPI where the machine has none that will do.
node_will_do() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null
}
PATH=$(cd "$venv/bin" && pwd):$PATH
if ! node_will_do; then
  say "Node 설치 / installing Node"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/proxy/node.lock
  hash -r
fi
say "프록시 설치 / installing the proxy"
proxy=$venv/share/kamp/proxy
mkdir -p "$proxy"
cp deploy/proxy/package.json deploy/proxy/package-lock.json "$proxy"
npm ci --prefix "$proxy" --omit=dev --no-audit --no-fund --loglevel=error >/dev/null
touch "$venv/.ready"
say "준비됨 / ready in $((SECONDS - started)) s"
