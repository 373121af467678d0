#!/usr/bin/env bash
# `npm run setup:dvc`: DVC with S3 support in .cache/dvc, a Python environment of its own; does nothing where it is
# there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DVC_NO_ANALYTICS=1

version=3.67.1
environment=.cache/dvc

installed() { [ -x "$environment/bin/dvc" ] && [ "$("$environment/bin/dvc" --version)" = "$version" ]; }

installed || scripts/services/install-python.sh "$environment" "dvc[s3]==$version"
installed
echo "setup:dvc  DVC $version at $environment/bin/dvc"
