#!/usr/bin/env bash
# Builds InfluxDB 2 (Flux and the v2 API, without the web interface) into .cache/services/bin/influxd, if it is not
# there.
# Needs gcc, and Rust 1.72 or later: Flux is written in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=2.7.12
# Of the module; its own go.sum and Cargo.lock pin everything else.
checksum='h1:m25dUSO7h6nm3zFC4v/aCNeFFmnN/mlN/uPo1T63bmk='
pkg_config=v0.2.14
binary=$PWD/.cache/services/bin/influxd

installed() { [ -x "$binary" ] && "$binary" version | grep -q "v$version"; }
if installed; then exit; fi

command -v gcc > /dev/null || scripts/apt-install.sh gcc libc6-dev >&2
command -v pkg-config > /dev/null || scripts/apt-install.sh pkg-config >&2
command -v cargo > /dev/null || scripts/apt-install.sh cargo-web rustc-web >&2
go=$(scripts/services/install-go.sh)
PATH=$(dirname "$go"):$PATH

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# Finds, and builds, what Flux has in Rust where a package asks for it.
GOBIN=$work go install "github.com/influxdata/pkg-config@$pkg_config"

found=$(go mod download -json "github.com/influxdata/influxdb/v2@v$version")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",*$/\1/p" <<< "$found"; }
if [ "$(field Sum)" != "$checksum" ]; then
  echo "InfluxDB $version has the checksum $(field Sum), not $checksum" >&2
  exit 1
fi

# A copy, because the module replaces one of its dependencies, which `go install` of another module's package refuses.
cp -r "$(field Dir)" "$work/source"
chmod -R u+w "$work/source"
cd "$work/source"

# Flux denies warnings, and later compilers warn of more than the one that it was written for.
cat > "$work/rustc" <<'W'
#!/bin/sh
case " $* " in *" --cap-lints "*) exec "$@" ;; *) exec "$@" --cap-lints warn ;; esac
W
chmod +x "$work/rustc"
# Instead of the compiler that Flux names, which would be downloaded.
if command -v rustup > /dev/null; then
  RUSTUP_TOOLCHAIN=$(cd / && rustup show active-toolchain | cut -d ' ' -f 1)
  export RUSTUP_TOOLCHAIN
fi
# Link-time optimisation would double the time that this takes; Go links what Rust makes statically.
export PKG_CONFIG=$work/pkg-config RUSTC_WRAPPER=$work/rustc
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
go build -trimpath -tags sqlite_foreign_keys,sqlite_json -gcflags=all=-dwarf=false \
  -ldflags "-s -w -X main.version=v$version" -o "$binary" ./cmd/influxd
installed
