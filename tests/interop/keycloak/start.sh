#!/bin/sh
# Keycloak 26.7.3 from Maven Central, on http://localhost:8180/realms/northkey. Needs Java 17 and Maven.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${NORTHKEY_INTEROP:-$here/../../../dist/interop}/keycloak
version=26.7.3
mkdir -p "$work"
cd "$work"
if [ ! -d "keycloak-$version" ]; then
  mvn -q dependency:copy -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:zip" -DoutputDirectory="$work"
  unzip -q "keycloak-quarkus-dist-$version.zip"
fi
# The realm is imported at each start.
rm -rf "keycloak-$version/data"
mkdir -p "keycloak-$version/data/import"
cp "$here/realm.json" "keycloak-$version/data/import/"
exec "keycloak-$version/bin/kc.sh" start-dev --import-realm --http-host 127.0.0.1 --http-port 8180
