#!/usr/bin/env bash
# install-ahead.sh SUITE...: installs what these suites need, in their order, mostly on what tests leave of the processors. To be started in the
# background, in a session of its own (`setsid`). What fails is told by install.sh once a suite needs it, which tries again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/suites.sh
ahead=.cache/services/ahead

# Linux shares processors among sessions first, and by `nice` only within one.
take_leftovers() { { echo 10 > /proc/self/autogroup; } 2> /dev/null || true; }
renice -n 10 $$ > /dev/null

install_all() {
  local name began before said processor
  processor_time
  for name in "$@"; do
    began=$SECONDS before=$processor said=
    take_leftovers
    bash scripts/install.sh "$name" > "$ahead/$name.log" 2>&1 || said=failed
    if [ -n "$said" ]; then mv "$ahead/$name.log" "$ahead/$name.failed"; fi
    processor_time
    time_row "$name" '' $((SECONDS - began)) '' $((processor - before)) "$said" >> "$ahead/minutes.txt"
  done
}

# What is compiled uses every processor, what is fetched waits for the network: one of each at a time.
compiled=() fetched=()
while read -r name; do
  case $name in
    # Tests of `npm test` look for a browser: it must not come while they run.
    chromium) ;;
    minio | influxdb | kubernetes-tools | promtool | actionlint | otel-collector | kube-apiserver) compiled+=("$name") ;;
    *) fetched+=("$name") ;;
  esac
done < <(for suite in "$@"; do suite_installs "$suite"; done | awk '!seen[$0]++')

mkdir -p "$ahead"
rm -f "$ahead"/*
echo $$ > "$ahead/session"
install_all "${fetched[@]}" &
install_all "${compiled[@]}"
wait
