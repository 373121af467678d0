#!/usr/bin/env bash
# `npm run test:integration [-- all | SUITE...]`: tests that need more than Node. suites.tsv lists the suites; without
# arguments the default ones run. Nothing is skipped here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/suites.sh
export DVC_NO_ANALYTICS=1
# What is trained here is recorded on no server but those of the tests.
unset MLFLOW_TRACKING_URI

fail() { echo "test:integration  $*" >&2; exit 1; }

# Runs tap over test files and insists that there are some.
run_tap() {
  [ "$#" -gt 0 ] || fail 'there is no such test file'
  timeout -k 30 1200 npx tap --disable-coverage --allow-incomplete-coverage --timeout="${limit:-600}" "$@" < /dev/null
}

test_files() { find "$@" -path '*/test/*' -name '*.test.ts' -not -path '*/node_modules/*' | sort; }

suite_page() {
  run_tap model-serving/test/page.integration.ts pipelines/steps/dashboard/test/page.integration.ts
}

suite_pipeline() {
  local dvc=.cache/dvc/bin/dvc
  timeout -k 30 600 npm run data < /dev/null
  timeout -k 30 3600 "$dvc" repro --all-pipelines < /dev/null
  timeout -k 30 120 "$dvc" status
  timeout -k 30 120 "$dvc" status --quiet || fail 'the pipeline is not up to date right after dvc repro'
  git diff --exit-code HEAD -- '*dvc.lock' '*.dvc' || fail 'dvc repro did not reproduce what is locked'
  run_tap model-creation/test/architectures.integration.ts scripts/test/start.integration.ts
}

# Once a run.
build() {
  [ -z "${built-}" ] || return 0
  npm run build
  built=yes
}

suite_data() {
  limit=900 run_tap scripts/test/data.integration.ts
}

suite_databases() {
  limit=900 run_tap scripts/test/databases.integration.ts
}

suite_tracking() {
  run_tap scripts/test/tracking.integration.ts
}

suite_training() {
  limit=900 run_tap pipelines/training/test/retrain.integration.ts scripts/test/training.integration.ts
}

suite_engine() {
  build
  rm -rf .cache/integration/engine
  run_tap scripts/test/engine.integration.ts
  local lines
  lines=$(cat .cache/integration/engine/*.log | wc -l)
  if grep -Eq '(access|secret)-[0-9a-f]{12}' .cache/integration/engine/*.log; then
    fail 'a log of the service holds a key of the object store'
  fi
  echo "test:integration  $lines log lines of the service hold no key"
}

suite_models() {
  build
  rm -rf .cache/integration/models
  run_tap scripts/test/registry.integration.ts model-serving/test/registry.integration.ts \
    model-serving/test/pool.integration.ts model-serving/test/plot-memory.integration.ts \
    scripts/test/models.integration.ts
}

suite_stream() {
  build
  run_tap scripts/test/log.integration.ts scripts/test/imputer-python.integration.ts \
    scripts/test/notifier.integration.ts scripts/test/stream-page.integration.ts
  limit=1180 run_tap scripts/test/stream.integration.ts
}

suite_tracing() {
  build
  run_tap scripts/test/tracing.integration.ts
}

suite_rehearsal() {
  build
  run_tap scripts/test/rehearsal.integration.ts
}

suite_compose() {
  build
  run_tap scripts/test/compose.integration.ts
}

suite_kubernetes() {
  timeout -k 30 1800 npm run check:manifests < /dev/null
  run_tap scripts/test/manifests.integration.ts
}

suite_rules() {
  run_tap scripts/test/rules.integration.ts
}

suite_workflows() {
  run_tap scripts/test/workflows.integration.ts
}

suite_apiserver() {
  timeout -k 30 1800 npm run check:manifests < /dev/null
  run_tap scripts/test/apiserver.integration.ts
}

suite_native() {
  command -v g++ > /dev/null || scripts/apt-install.sh g++
  python3 -m pip --version > /dev/null 2>&1 || scripts/apt-install.sh python3-pip
  timeout -k 30 1800 npm run setup:native < /dev/null
  local files
  mapfile -t files < <(test_files core model-creation)
  TFJS_BACKEND=native run_tap "${files[@]}" model-creation/test/architectures.integration.ts
}

case " $* " in
  '  ') mapfile -t chosen < <(suites default) ;;
  *' all '*) mapfile -t chosen < <(suites) ;;
  *) chosen=("$@") ;;
esac
for suite in "${chosen[@]}"; do
  [ -n "$(suite_minutes "$suite")" ] ||
    fail "there is no suite '$suite'; there are: $(suites | paste -sd ' ' | sed 's/ /, /g'), all"
done

# Minutes by suite: allowed, used, of these waiting for what it installs, and processor time. Then the same for what was
# installed in the background.
table=$(mktemp)
log_times() {
  local before=$processor
  processor_time
  time_row "$suite" "$(suite_minutes "$suite")" $((SECONDS - began)) $((ready - began)) $((processor - before)) \
    "${1-}" >> "$table"
}
finish() {
  [ "$?" -eq 0 ] || [ -z "${began-}" ] || log_times failed
  stop_ahead
  printf '%-16s %9s %9s %11s %10s\n' minutes allowed used installing processor
  cat "$table"
  rm "$table"
  if [ -s .cache/services/ahead/minutes.txt ]; then
    printf '%-16s %9s %9s %11s %10s\n' 'installed ahead' '' used '' processor
    cat .cache/services/ahead/minutes.txt
  fi
}
trap finish EXIT

# INSTALLS_AHEAD: the caller installs in the background already.
if [ "${#chosen[@]}" -gt 1 ] && [ -z "${INSTALLS_AHEAD-}" ]; then
  start_ahead "${chosen[@]}"
fi
processor_time
for suite in "${chosen[@]}"; do
  echo "== $suite"
  began=$SECONDS ready=$SECONDS
  mapfile -t installs < <(suite_installs "$suite")
  bash scripts/install.sh "${installs[@]}"
  ready=$SECONDS
  "suite_$suite"
  log_times
done
