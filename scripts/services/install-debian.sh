#!/usr/bin/env bash
# install-debian.sh PACKAGE FOLDER: unpacks a Debian package into the folder. It installs nothing and starts no daemon.
# It does nothing if the folder is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
package=$1 folder=$2

if [ -d "$folder" ]; then exit; fi
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder-XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
fetch() { (cd "$work" && timeout 300 apt-get download --quiet "$package" < /dev/null); }
# The package lists may be missing or old.
fetch || { scripts/apt-install.sh --update && fetch; }
dpkg-deb --extract "$work"/*.deb "$work/taken"
mv "$work/taken" "$folder"
