#!/usr/bin/env bash
# install-ahead.sh SUITE...: installs what these suites need, in their order, mostly on the processor time that tests
# leave. Start it in the background, in a session of its own (`setsid`). If an installation fails, install.sh shows its
# log and tries again once a suite needs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/suites.sh
ahead=.cache/services/ahead

# Linux shares processors among sessions first, and by `nice` only within a session.
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

# A compiler uses every processor, a download waits for the network: one of each runs at a time.
compiled=() fetched=()
while read -r name; do
  case $name in
    actionlint | alertmanager | influxdb | kube-apiserver | kubernetes-tools | minio | otel-collector | promtool)
      compiled+=("$name")
      ;;
    *) fetched+=("$name") ;;
  esac
done < <(for suite in "$@"; do suite_installs "$suite"; done | awk '!seen[$0]++')

mkdir -p "$ahead"
rm -f "$ahead"/*
echo $$ > "$ahead/session"
install_all "${fetched[@]}" &
install_all "${compiled[@]}"
wait
