#!/usr/bin/env bash
# install.sh NAME...: installs what suites need besides `npm ci`; suites.tsv has the names. Each is installed by one
# process at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DVC_NO_ANALYTICS=1
ahead=.cache/services/ahead

bring() {
  case $1 in
    chromium) timeout -k 30 1800 scripts/setup-chromium.sh ;;
    dvc) timeout -k 30 1800 npm run setup:dvc ;;
    kafka-python)
      timeout -k 30 1800 scripts/services/install-python.sh .cache/services/python-imputer kafka-python==3.0.12
      ;;
    *) timeout -k 30 1800 npm run services -- install "$1" ;;
  esac
}

# The background gets its full share of the processors once somebody waits for it.
hurry() {
  local session
  session=$(cat "$ahead/session" 2> /dev/null) || return 0
  { echo 0 > "/proc/$session/autogroup"; } 2> /dev/null || true
}

mkdir -p "$ahead"
for name in "$@"; do
  exec 8> ".cache/services/$name.lock"
  if ! flock --nonblock 8; then
    hurry
    flock --timeout 1800 8
  fi
  if [ -f "$ahead/$name.failed" ]; then
    echo "install  $name could not be installed ahead, and is tried again; this was said:"
    cat "$ahead/$name.failed"
    rm "$ahead/$name.failed"
  fi
  bring "$name" < /dev/null 8>&-
  flock --unlock 8
done
