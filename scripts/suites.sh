# Reads suites.tsv, from the project's folder; to be sourced.

# suites [default|named]: their names, in the order of the schedule.
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

# Into `processor`: the seconds that processors have worked for what this shell has started and seen end.
processor_time() {
  local file=${TMPDIR:-/tmp}/processor-time.$BASHPID
  times > "$file"
  processor=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$file")
  rm "$file"
}
