#!/usr/bin/env bash
# The browser of the tests: Debian's package where it may be installed, else a word of what is skipped.
set -euo pipefail
if command -v chromium > /dev/null || [ -n "${VLM_BOUNDARY_CHROMIUM:-}" ]; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Chromium for the tests in a browser (once)"
  export DEBIAN_FRONTEND=noninteractive
  (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium) > /dev/null 2>&1 ||
    echo "Chromium could not be installed; the tests in a browser are skipped"
else
  echo "No Chromium (not root on Debian); the tests in a browser are skipped"
fi
