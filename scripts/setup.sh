#!/usr/bin/env bash
# Makes .venv what requirements-dev.lock says, with this project installed in it. Does nothing when it is that already.
set -euo pipefail
cd "$(dirname "$0")/.."

# The environment is right when it was made, by a Python that still exists, from exactly these files.
stamp=.venv/.made-from
fingerprint=$(cat requirements-dev.lock pyproject.toml scripts/setup.sh | sha256sum)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ] &&
    .venv/bin/python -c 'import monitor' 2>/dev/null; then
    exit 0
fi

find_python() {
    local name
    for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do
        if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

if ! python=$(find_python); then
    echo "setup: Python 3.11 or newer is needed and was not found; install it, or name it: make setup PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "setup: $python cannot make environments: its venv module is missing; on Debian and Ubuntu: apt-get install python$version-venv" >&2
    exit 1
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "setup: making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
fi
echo "setup: installing the pinned packages into .venv"
rm -f "$stamp"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
echo "$fingerprint" >"$stamp"
echo "setup: done"
