#!/usr/bin/env bash
# `npm run setup:dvc`: DVC with S3 support in .cache/dvc, a Python environment of its own; does nothing where it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DVC_NO_ANALYTICS=1

version=3.67.1
uv_version=0.13.9
environment=.cache/dvc

installed() { [ -x "$environment/bin/dvc" ] && [ "$("$environment/bin/dvc" --version)" = "$version" ]; }

if ! installed; then
  if ! command -v python3 > /dev/null; then scripts/apt-install.sh python3 python3-venv; fi
  if ! python3 -c 'import ensurepip' 2> /dev/null; then scripts/apt-install.sh python3-venv; fi
  rm -rf "$environment"
  python3 -m venv "$environment"
  # uv resolves and installs DVC's 90 packages three times as fast as pip (15 s instead of 44 s).
  uv=$(command -v uv) || { timeout 300 "$environment/bin/pip" install --quiet "uv==$uv_version" && uv="$environment/bin/uv"; }
  # Where PYTHONDONTWRITEBYTECODE is set nothing else would ever compile them, and each command would take three times as long.
  timeout 600 "$uv" pip install --quiet --compile-bytecode --python "$environment/bin/python" "dvc[s3]==$version"
fi
installed
echo "setup:dvc  DVC $version at $environment/bin/dvc"
