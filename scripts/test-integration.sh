#!/usr/bin/env bash
# `npm run test:integration [-- SUITE...]`: what needs more than Node. Suites, by default all: page (a real browser),
# pipeline (DVC reproduces the locked model bit for bit, and the laws of every architecture), data (DVC's remote and `npm run data` on a real MinIO and InfluxDB),
# databases (what keeps the stream, on a real InfluxDB and Cassandra), tracking (trainings on a real MLflow, artifacts on MinIO),
# training (retraining with DVC and a registry on a real MinIO, its DAG in a real Airflow), engine (tasks between an engine and a
# real MinIO), models (the registry in a real MinIO, switched under load and killed), stream (every step of the stream as a process on a real Kafka and
# InfluxDB, killed at random), rehearsal (what the image holds, restarted under load and in the middle of tasks), compose (what compose.yaml starts,
# as processes), kubernetes (every overlay rendered and checked against published schemas), apiserver (the same before a real API server),
# rules (alert rules by promtool), workflows (actionlint), native (the tests again on libtensorflow).
# Nothing is skipped here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
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
  scripts/setup-chromium.sh
  local files
  mapfile -t files < <(test_files model-serving pipelines | grep -E '/page[^/]*$')
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
  run_tap model-creation/test/architectures.integration.ts
}

# By one process at a time.
install_server() {
  mkdir -p .cache/services
  flock --timeout 1800 ".cache/services/$1.lock" timeout -k 30 1800 npm run services -- install "$1" < /dev/null
}

# What suites need is built while earlier ones run, in that order, on what they leave of the processors: where nothing is cached that saves ten minutes.
# What fails here fails again, and is told, where it is needed.
install_ahead() {
  local server
  for server in minio influxdb promtool alertmanager otel-collector kube-apiserver actionlint; do
    install_server "$server" || true
  done > .cache/services/ahead.log 2>&1
}

suite_data() {
  npm run setup:dvc
  install_server minio
  install_server influxdb
  limit=900 run_tap scripts/test/data.integration.ts
}

suite_databases() {
  install_server influxdb
  install_server cassandra
  limit=900 run_tap scripts/test/databases.integration.ts
}

suite_tracking() {
  install_server minio
  install_server mlflow
  run_tap scripts/test/tracking.integration.ts
}

suite_training() {
  npm run setup:dvc
  install_server minio
  install_server airflow
  limit=900 run_tap pipelines/training/test/retrain.integration.ts scripts/test/training.integration.ts
}

suite_engine() {
  install_server minio
  npm run build
  rm -rf .cache/integration/engine
  run_tap scripts/test/engine.integration.ts
  local lines
  lines=$(cat .cache/integration/engine/*.log | wc -l)
  if grep -Eq '(access|secret)-[0-9a-f]{12}' .cache/integration/engine/*.log; then fail "a log of the service holds a key of the object store"; fi
  echo "test:integration  $lines log lines of the service hold no key"
}

suite_models() {
  install_server minio
  npm run build
  rm -rf .cache/integration/models
  run_tap scripts/test/registry.integration.ts model-serving/test/registry.integration.ts model-serving/test/pool.integration.ts scripts/test/models.integration.ts
}

suite_stream() {
  scripts/setup-chromium.sh
  install_server kafka
  install_server influxdb
  install_server alertmanager
  install_server otel-collector
  bash scripts/services/install-python.sh .cache/services/python-imputer kafka-python==3.0.12
  npm run build
  run_tap scripts/test/log.integration.ts scripts/test/imputer-python.integration.ts scripts/test/notifier.integration.ts scripts/test/tracing.integration.ts scripts/test/stream-page.integration.ts
  limit=1180 run_tap scripts/test/stream.integration.ts
}

suite_rehearsal() {
  install_server minio
  npm run build
  run_tap scripts/test/rehearsal.integration.ts
}

suite_compose() {
  install_server minio
  install_server kafka
  install_server influxdb
  install_server alertmanager
  install_server mlflow
  npm run build
  run_tap scripts/test/compose.integration.ts
}

suite_kubernetes() {
  timeout -k 30 1800 npm run check:manifests < /dev/null
  run_tap scripts/test/manifests.integration.ts
}

suite_rules() {
  install_server promtool
  run_tap scripts/test/rules.integration.ts
}

suite_workflows() {
  install_server actionlint
  run_tap scripts/test/workflows.integration.ts
}

suite_apiserver() {
  timeout -k 30 1800 npm run check:manifests < /dev/null
  install_server kube-apiserver
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

[ "$#" -gt 0 ] || set -- page pipeline data databases tracking training engine models stream rehearsal compose kubernetes apiserver rules workflows native
for suite in "$@"; do
  case $suite in
    page | pipeline | data | databases | tracking | training | engine | models | stream | rehearsal | compose | kubernetes | apiserver | rules | workflows | native) ;;
    *) fail "there is no suite '$suite'; there are: page, pipeline, data, databases, tracking, training, engine, models, stream, rehearsal, compose, kubernetes, apiserver, rules, workflows, native" ;;
  esac
done
if [ "$#" -gt 5 ]; then
  mkdir -p .cache/services
  export -f install_server install_ahead
  # A session of its own, so that it ends with all that it has started.
  setsid nice -n 19 bash -c install_ahead < /dev/null &
  ahead=$!
  trap 'pkill -TERM -s "$ahead" || true' EXIT
fi
for suite in "$@"; do
  echo "== $suite"
  "suite_$suite"
done
