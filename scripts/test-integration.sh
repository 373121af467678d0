#!/usr/bin/env bash
# `npm run test:integration [-- SUITE...]`: what needs more than Node. Suites, by default all: page (a real browser),
# pipeline (DVC reproduces the locked model bit for bit), engine (tasks between an engine and a real MinIO), native (the tests
# again on libtensorflow). Nothing is skipped here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DVC_NO_ANALYTICS=1

fail() { echo "test:integration  $*" >&2; exit 1; }

# Runs tap over test files and insists that there are some.
run_tap() {
  [ "$#" -gt 0 ] || fail 'there is no such test file'
  timeout -k 30 1200 npx tap --disable-coverage --allow-incomplete-coverage --timeout=600 "$@" < /dev/null
}

test_files() { find "$@" -path '*/test/*' -name '*.test.ts' -not -path '*/node_modules/*' | sort; }

suite_page() {
  scripts/setup-chromium.sh
  local files
  mapfile -t files < <(test_files model-serving | grep -E 'page[^/]*$')
  mkdir -p .cache
  run_tap "${files[@]}" | tee .cache/page-test.log
  if grep -Eq '^# \{.*(skip|todo):' .cache/page-test.log; then fail 'the page test skipped something'; fi
}

suite_pipeline() {
  local dvc=.cache/dvc/bin/dvc
  npm run setup:dvc
  timeout -k 30 600 npm run data < /dev/null
  timeout -k 30 3600 "$dvc" repro --all-pipelines < /dev/null
  timeout -k 30 120 "$dvc" status
  timeout -k 30 120 "$dvc" status --quiet || fail 'the pipeline is not up to date right after dvc repro'
  git diff --exit-code HEAD -- '*dvc.lock' '*.dvc' || fail 'dvc repro did not reproduce what is locked'
}

suite_engine() {
  timeout -k 30 1800 npm run services -- install minio < /dev/null
  npm run build
  rm -rf .cache/integration/engine
  run_tap scripts/test/engine.integration.ts
  local lines
  lines=$(cat .cache/integration/engine/*.log | wc -l)
  if grep -Eq '(access|secret)-[0-9a-f]{12}' .cache/integration/engine/*.log; then fail "a log of the service holds a key of the object store"; fi
  echo "test:integration  $lines log lines of the service hold no key"
}

suite_native() {
  command -v g++ > /dev/null || scripts/apt-install.sh g++
  python3 -m pip --version > /dev/null 2>&1 || scripts/apt-install.sh python3-pip
  timeout -k 30 1800 npm run setup:native < /dev/null
  local files
  mapfile -t files < <(test_files core model-creation)
  TFJS_BACKEND=native run_tap "${files[@]}"
}

[ "$#" -gt 0 ] || set -- page pipeline engine native
for suite in "$@"; do
  case $suite in
    page | pipeline | engine | native) ;;
    *) fail "there is no suite '$suite'; there are: page, pipeline, engine, native" ;;
  esac
done
for suite in "$@"; do
  echo "== $suite"
  "suite_$suite"
done
