#!/usr/bin/env bash
# The browser of the tests: Debian's package where it may be installed, else a word of what is skipped.
set -euo pipefail
if command -v chromium > /dev/null || [ -n "${VLM_BOUNDARY_CHROMIUM:-}" ]; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "No Chromium (not root on Debian); the tests in a browser are skipped"
  exit 0
fi
echo "Installing Chromium for the tests in a browser (once)"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One source that cannot be reached is no reason not to install from the others.
apt-get update -qq > "$log" 2>&1 || true
apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends chromium >> "$log" 2>&1 ||
  true
# Ubuntu's package of this name only leads to a snap, so what counts is that the browser starts.
if ! chromium --version > /dev/null 2>&1; then
  tail -n 3 "$log"
  echo "Chromium could not be installed; the tests in a browser are skipped"
fi
