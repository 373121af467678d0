# Adds up the closing lines of tap runs (`# { total: 9, pass: 7, fail: 1, skip: 1 }`) and prints one line; a part that failed
# without a failing assertion (`# part failed: lint`) counts as one failure. Exit code 1 when nothing passed.
/^# \{ total:/ {
  for (i = 3; i < NF; i += 2) count[$i] += $(i + 1)
}
/^# part failed:/ {
  parts++
}
END {
  failed = count["fail:"] > 0 ? count["fail:"] : parts
  printf "total: %d passed, %d failed, %d skipped\n", count["pass:"], failed, count["skip:"] + count["todo:"]
  exit count["pass:"] > 0 ? 0 : 1
}
