#!/usr/bin/env bash
# install-kube-apiserver.sh VERSION FOLDER: kube-apiserver and kubectl of that version into FOLDER, built from their Go
# module. Its go.mod takes the libraries from folders beside it, which no proxy has; here each is taken from its own
# module, of the same release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$1
folder=$2
if [ -x "$folder/kube-apiserver" ] && [ -x "$folder/kubectl" ]; then exit; fi
go=$(bash scripts/services/install-go.sh)
export CGO_ENABLED=0 GOFLAGS='-mod=mod -buildvcs=false'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

module=$("$go" mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)",*/\1/p')
{
  echo 'module apiserver'
  grep -E '^go ' "$module"
  echo "require k8s.io/kubernetes v$version"
  grep -oE 'k8s\.io/[a-z-]+ => \./staging' "$module" |
    awk -v version="0.${version#1.}" '{ print "replace " $1 " => " $1 " v" version }'
} > "$work/go.mod"

stamp=k8s.io/component-base/version
minor=${version#1.}
(cd "$work" && "$go" build -trimpath -gcflags=all=-dwarf=false -o "$work/bin/" \
  -ldflags "-s -w -X $stamp.gitVersion=v$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}" \
  k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl)
mkdir -p "$folder"
mv "$work/bin/kube-apiserver" "$work/bin/kubectl" "$folder/"
