#!/usr/bin/env bash
# Makes sure that there is a Chromium for the page test; does nothing where one is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v chromium > /dev/null || scripts/apt-install.sh chromium
echo "setup:chromium  $(chromium --version) at $(command -v chromium)"
