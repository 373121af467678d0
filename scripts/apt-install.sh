#!/usr/bin/env bash
# Installs Debian packages, or says who must: scripts/apt-install.sh PACKAGE...
set -euo pipefail

if ! command -v apt-get > /dev/null; then
  echo "Needed: $*. This system has no apt-get; install it with the system's own package manager." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2> /dev/null; then
    echo "Needed: $*. Run as root: apt-get install $*" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
# One at a time: the lists have no lock that apt waits for.
exec 9> "${TMPDIR:-/tmp}/apt-install.lock"
flock --timeout 900 9
install() {
  timeout 600 "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" < /dev/null
}
# The package lists may be missing or old: they are fetched only where that is so.
install "$@" || { timeout 300 "${as_root[@]}" apt-get update --quiet < /dev/null && install "$@"; }
