#!/bin/sh
# Glewlwyd 2.7.5 of Debian, on http://localhost:8186/api/oidc. Needs the packages glewlwyd and sqlite3. The database is
# new at each start.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=${NORTHKEY_INTEROP:-$root/dist/interop}/glewlwyd
command -v glewlwyd > /dev/null || apt-get install -y --no-install-recommends glewlwyd sqlite3
mkdir -p "$work"
cd "$work"
rm -rf glewlwyd.db webapp
# The package of Debian 12 has a folder in the place of config.json, without which the pages do not load.
cp -RL /usr/share/glewlwyd/webapp webapp
rm -rf webapp/config.json
cp /usr/share/glewlwyd/templates/config.json webapp/config.json
zcat /usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz | sqlite3 glewlwyd.db
glewlwyd --config-file="$here/glewlwyd.conf" &
server=$!
trap 'kill $server' EXIT
trap 'exit 0' INT TERM
until curl -sf http://localhost:8186/config > /dev/null; do sleep 1; done
"$root/node_modules/.bin/tsx" "$here/configure.ts"
wait $server
