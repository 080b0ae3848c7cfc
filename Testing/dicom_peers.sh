#!/usr/bin/env bash
# Installs what DICOM tests ask besides the locked packages: the dcmqi of 3D Slicer beside the newer one, and Orthanc, a
# PACS (Debian packages). Tests whose program is missing say so and are left out: nothing here fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

OLD=.venv/dcmqi-0.4.0
PACKAGES="orthanc orthanc-dicomweb"

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

[ "$(uname)" = Linux ] || exit 0

if [ "$(uname -m)" = x86_64 ] && [ ! -d "$OLD" ]; then
  echo "Installing dcmqi 0.4.0, the version in 3D Slicer, into $OLD"
  .venv/bin/python -m pip --disable-pip-version-check install -q --no-deps --target "$OLD.partial" dcmqi==0.4.0 \
    >>.venv/setup.log 2>&1 && mv "$OLD.partial" "$OLD" || echo "It could not be installed; its tests are left out." >&2
fi

if ! command -v Orthanc >/dev/null && [ ! -x /usr/sbin/Orthanc ]; then
  if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
    echo "Installing Debian packages for a PACS: $PACKAGES"
    # shellcheck disable=SC2086
    as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends $PACKAGES >/dev/null ||
      echo "They could not be installed; tests of a PACS are left out." >&2
  fi
fi
exit 0
