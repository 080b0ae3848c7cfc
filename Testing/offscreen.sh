#!/usr/bin/env bash
# Makes sure that tests can draw without a screen: installs the Debian packages for it, or asks for them by name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PACKAGES="libegl1 libgl1-mesa-dri"
if .venv/bin/python -c 'import PySide6' 2>/dev/null; then
  PACKAGES="$PACKAGES libdbus-1-3 libfontconfig1 libgl1 libglib2.0-0 libxkbcommon0"
fi

can_draw() {  # without its libraries VTK ends in a segmentation fault, which the inner shell keeps to itself
  (ulimit -c 0; .venv/bin/python Testing/offscreen.py; exit $?) >/dev/null 2>&1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

if [ "$(uname)" != Linux ] || can_draw; then
  exit 0
fi
if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
  echo "Installing Debian packages for drawing without a screen: $PACKAGES"
  as_root apt-get update -qq && # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >/dev/null || true
fi
if ! can_draw; then
  echo "The tests draw slice views without a screen and need these Debian packages: please run" \
    "\"sudo apt-get install $PACKAGES\" (or install the same libraries of your system)." >&2
  exit 1
fi
