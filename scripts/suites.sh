# Reads suites.tsv, and measures; to be sourced in the project's folder.

# suites [default|named]: the names of suites, in the order of the schedule.
suites() {
  awk -F '\t' -v when="${1-}" '!/^#/ && (when == "" || $3 == when) { print $1 }' scripts/suites.tsv
}

# suite_field SUITE NUMBER: a column of its row.
suite_field() {
  awk -F '\t' -v name="$1" -v field="$2" '!/^#/ && $1 == name { print $field }' scripts/suites.tsv
}

suite_minutes() { suite_field "$1" 2; }

# What it needs besides `npm ci`, one name a line.
suite_installs() { suite_field "$1" 4 | tr ' ' '\n' | grep -v '^-$' || true; }

# start_ahead SUITE...: installs in the background, as no child of this shell: its processor time is not that of a
# suite.
start_ahead() {
  mkdir -p .cache/services
  rm -f .cache/services/ahead/session
  ahead=yes
  setsid --fork bash scripts/install-ahead.sh "$@" < /dev/null > .cache/services/ahead.log 2>&1
}

# Ends what start_ahead has started.
stop_ahead() {
  local session
  [ -n "${ahead-}" ] || return 0
  session=$(cat .cache/services/ahead/session 2> /dev/null) || return 0
  pkill -TERM -s "$session" || true
}

# Sets `processor`: the seconds of processor time of what this shell has started and seen end.
processor_time() {
  local file=${TMPDIR:-/tmp}/processor-time.$BASHPID
  times > "$file"
  processor=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$file")
  rm "$file"
}

# time_row NAME ALLOWED USED WAITED PROCESSOR [END]: a row of the tables of times. ALLOWED is in minutes, the others are
# in seconds; END says how it ended.
time_row() {
  awk -v name="$1" -v allowed="$2" -v used="$3" -v waited="$4" -v processor="$5" -v end="${6-}" 'BEGIN {
    if (end == "" && allowed != "" && used > 60 * allowed) end = "over"
    if (waited != "") waited = sprintf("%.1f", waited / 60)
    printf "%-16s %9s %9.1f %11s %10.1f  %s\n", name, allowed, used / 60, waited, processor / 60, end
  }'
}
