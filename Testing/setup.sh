#!/usr/bin/env bash
# Makes the virtual environment .venv ready with the locked packages and this checkout; does nothing when it is.
#   Testing/setup.sh          what the demo, the tests and lint need
#   Testing/setup.sh bench    the libraries of the benchmark as well
#   Testing/setup.sh bench keras    and .venv-keras, for its column in Keras
# PYTHON=/path/to/python chooses the interpreter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv
LOG=$VENV/setup.log
CHOICES=${PYTHON:-python3 python3.12 python3.11}

fail() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

supported() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' >/dev/null 2>&1; }

find_python() {  # a name can exist and not run (version managers' shims), so every one is tried
  local choice seen="" without_venv=""
  for choice in $CHOICES; do
    if ! supported "$choice"; then
      seen="$seen, $choice is $("$choice" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing)"
    elif "$choice" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      echo "$choice"
      return
    else
      without_venv=$choice
    fi
  done
  [ -z "$without_venv" ] || fail "$without_venv cannot make virtual environments: please install its venv module" \
    "(on Debian and Ubuntu: apt-get install $("$without_venv" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'))."
  fail "PulsarCAM needs Python 3.11 or 3.12 (${seen#, }): please install one of them," \
    "or name it as in: make demo PYTHON=/path/to/python3.12"
}

reason_of_failure() {
  if grep -q "No space left on device" "$LOG"; then
    echo "the disk is full."
  elif grep -qE "NewConnectionError|NameResolutionError|ProxyError|ConnectTimeout|ReadTimeout|SSLError" "$LOG"; then
    echo "the package index cannot be reached; please connect to the network or give pip an index that can be reached."
  elif grep -q "No matching distribution found" "$LOG"; then
    echo "the package index has no $(sed -n '/No matching distribution found/{s/.* for //;s/ (.*//;p;q;}' "$LOG")" \
      "for this Python and platform, or cannot be reached."
  else
    echo "please see $LOG."
  fi
}

install() {
  "$VENV/bin/python" -m pip --disable-pip-version-check install "$@" >>"$LOG" 2>&1 ||
    fail "The packages could not be installed: $(reason_of_failure)"
}

once() {  # once STAMP FILES...: true unless the stamp tells of these files in this place; sets key
  key="$PWD $(cat "${@:2}" | cksum)"
  [ "$(cat "$1" 2>/dev/null)" != "$key" ]
}

usable() {  # an environment copied or moved from another folder still starts programs there
  supported "$VENV/bin/python" && "$VENV/bin/python" -m pip --version >/dev/null 2>&1 && chosen_version &&
    { [ ! -e "$VENV/.place" ] || [ "$(cat "$VENV/.place")" = "$PWD" ]; }
}

make_environment() {
  local python
  ! usable || return 0
  python=$(find_python)
  if [ -e "$VENV" ]; then
    echo "Removing the old $VENV: it was made by another Python or in another folder, or was left half made."
    rm -rf "$VENV"
  fi
  echo "Making $VENV with $("$python" -c 'import sys; print(sys.executable)')"
  "$python" -m venv "$VENV" || fail "$python could not make a virtual environment in $PWD/$VENV; is the folder writable?"
  echo "$PWD" >"$VENV/.place"
}

chosen_version() {  # a PYTHON=... that differs from what .venv was made with wins
  [ -z "${PYTHON:-}" ] || [ "$(tag "$PYTHON")" = "$(tag "$VENV/bin/python")" ]
}

tag() { "$1" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null; }

if once "$VENV/.ready" requirements-lock.txt pyproject.toml || ! usable; then
  make_environment
  : >"$LOG"
  echo "Installing the packages of requirements-lock.txt (the first time it takes some minutes) ..."
  install -r requirements-lock.txt
  install --no-deps --no-build-isolation -e .
  echo "$key" >"$VENV/.ready"
fi

if [ "${1:-}" = bench ] && once "$VENV/.bench-ready" requirements-bench.txt "$VENV/.ready"; then
  : >"$LOG"
  echo "Installing the libraries to compare with ..."
  # Their own requirements would replace the locked torch by another build.
  install --no-deps --no-build-isolation -r requirements-bench.txt
  echo "$key" >"$VENV/.bench-ready"
fi

KERAS=.venv-keras
if [ "${2:-}" = keras ] && once "$KERAS/.ready" requirements-keras.txt "$VENV/.ready"; then
  : >"$LOG"
  echo "Installing Keras and TensorFlow into $KERAS (some minutes) ..."
  rm -rf "$KERAS"
  "$VENV/bin/python" -m venv "$KERAS" || fail "$PWD/$KERAS could not be made; is the folder writable?"
  "$KERAS/bin/python" -m pip --disable-pip-version-check install -r requirements-keras.txt >>"$LOG" 2>&1 ||
    fail "Keras could not be installed: $(reason_of_failure) Without it: make bench"
  echo "$key" >"$KERAS/.ready"
fi
