# shellcheck shell=bash
# Set-up shared by scripts/serve and scripts/test; sourced, not run. Every step looks first whether
# it is done, so a second run costs nothing.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV="$ROOT/.venv"
PYTHON_IN="$VENV/bin/python"

say() { printf '%s\n' "$*" >&2; }

die() {
  say ""
  say "$(basename "$0"): $*"
  exit 1
}

# Print the newest suitable Python, PYTHON=... first. Wheels of the speech libraries exist for
# 3.11 to 3.13 longest, so those names are tried before whatever python3 is.
find_python() {
  local candidate found=""
  for candidate in ${PYTHON:-} python3.12 python3.11 python3.13 python3 python; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
    found="$found $candidate ($("$candidate" -V 2>&1))"
  done
  die "Python 3.11 or newer is needed.${found:+ Found only:$found.}
  Debian or Ubuntu: apt-get install python3 python3-venv
  macOS:            brew install python@3.12
  Elsewhere installed? Name it: PYTHON=/path/to/python $0"
}

make_venv() {
  "$PYTHON_IN" -c 'import pip' 2>/dev/null && return
  local python
  python=$(find_python) || exit 1
  say "making a virtual environment in .venv ($("$python" -V))"
  local log
  log=$(mktemp)
  if ! "$python" -m venv --clear "$VENV" >"$log" 2>&1; then
    explain "$log"
    if grep -qi 'ensurepip' "$log"; then
      rm -rf "$VENV"
      die "this Python cannot make virtual environments.
  Debian or Ubuntu: apt-get install python3-venv"
    fi
    tail -n 5 "$log" >&2
    die "could not make the virtual environment."
  fi
  rm -f "$log"
}

# Turn the usual faults in a log into words and stop; return when none is found.
explain() {
  if grep -qiE 'no space left on device|disk quota exceeded' "$1"; then
    die "the disk is full ($(df -Ph "$ROOT" | awk 'NR==2 {print $4}') free where the checkout lies)."
  fi
  if grep -qiE 'name resolution|name or service not known|nodename nor servname|network is unreachable|failed to establish a new connection|connection refused|proxyerror|timed out|temporary failure' "$1"; then
    die "no network, or the package index cannot be reached. Behind a proxy? Set HTTPS_PROXY
  (and pip's index with PIP_INDEX_URL), then run this again: it goes on where it stopped."
  fi
}

# What an installation depends on: the pins, the interpreter, and which set ("serve" or "test").
installation_key() {
  "$PYTHON_IN" - "$ROOT/pyproject.toml" "$1" <<'PY'
import hashlib, sys
text = open(sys.argv[1], "rb").read() + f"{sys.version} {sys.prefix} {sys.argv[2]}".encode()
print(hashlib.sha256(text).hexdigest())
PY
}

installed() {
  [ "$(cat "$VENV/.installed-$1" 2>/dev/null)" = "$(installation_key "$1")" ]
}

# install serve|test: the package, editable, with what running it (or testing it) needs.
install() {
  installed test && return
  installed "$1" && return
  say "installing dependencies (a few minutes the first time)"
  local log="$VENV/install.log" requirements="$VENV/requirements.txt"
  "$PYTHON_IN" - "$ROOT/pyproject.toml" "$1" >"$requirements" <<'PY'
# Written out here because pip knows dependency groups only since 25.1.
import sys, tomllib
if sys.argv[2] == "test":
    print("\n".join(tomllib.load(open(sys.argv[1], "rb"))["dependency-groups"]["dev"]))
PY
  if ! "$PYTHON_IN" -m pip install --disable-pip-version-check --no-input \
    -e "${ROOT}[llm,espeak]" -r "$requirements" >"$log" 2>&1; then
    explain "$log"
    grep -iE 'error|no matching' "$log" | tail -n 5 >&2
    die "could not install the dependencies; the whole log is in .venv/install.log"
  fi
  german_voice
  installation_key "$1" >"$VENV/.installed-$1"
}

# Pico, the native German voice, is compiled; without a C compiler a borrowed voice speaks German.
german_voice() {
  "$PYTHON_IN" -c 'import ctts' 2>/dev/null && return
  say "compiling the German voice"
  "$PYTHON_IN" -m pip install --disable-pip-version-check --no-input \
    -e "${ROOT}[pico]" >"$VENV/install-pico.log" 2>&1 ||
    say "no C compiler or Python headers: German gets an accented voice, harder to understand
  (Debian: apt-get install gcc python3-dev, then pip install 'voice-server[pico]')"
}

# fetch NAME...: weights, with progress; idle when they are there.
fetch() {
  "$VENV/bin/voice-server" fetch "$@" >/dev/null ||
    die "the models' weights could not be fetched (see above). Run this again: it goes on where
  it stopped. Weights from another machine can be copied into the models folder."
}
