#!/usr/bin/env bash
# Brings the jars that a pom.xml names into a folder: install-java.sh POM FOLDER; does nothing where they are there.
# Needs Java 17 and Maven.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
pom=$1 folder=$2

command -v java > /dev/null || scripts/apt-install.sh openjdk-17-jre-headless >&2
command -v mvn > /dev/null || scripts/apt-install.sh maven >&2
if cmp -s "$pom" "$folder/pom.xml"; then exit; fi
rm -rf "$folder"
mvn -q -B -f "$pom" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$folder"
# Last: a folder without it is not whole.
cp "$pom" "$folder/pom.xml"
