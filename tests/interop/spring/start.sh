#!/bin/sh
# Spring Authorization Server of Spring Boot 4.0.7 from Maven Central, on http://localhost:8181. Needs Java 17 and Maven.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${NORTHKEY_INTEROP:-$here/../../../dist/interop}/spring
mkdir -p "$work"
cp -R "$here/pom.xml" "$here/src" "$work"
cd "$work"
mvn -q package
exec java -jar target/spring-authorization-server-1.jar
