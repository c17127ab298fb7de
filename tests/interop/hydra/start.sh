#!/bin/sh
# Ory Hydra 2.3.0 by Go's module proxy, on http://localhost:8184, with the pages of login-consent.ts. Needs Go 1.26 and
# a C compiler. Each start has a new database in memory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=${NORTHKEY_INTEROP:-$root/dist/interop}/hydra
mkdir -p "$work"
cd "$work"
if [ ! -x hydra ]; then
  # A module of its own; Hydra needs its fork of one package.
  printf 'module interop.example/hydra\n\ngo 1.24\n\nreplace github.com/gobuffalo/pop/v6 => github.com/ory/pop/v6 v6.2.1-0.20241121111754-e5dfc0f3344b\n' > go.mod
  GOFLAGS=-mod=mod go get -tool github.com/ory/hydra/v2@v2.3.0
  go build -tags sqlite -o hydra github.com/ory/hydra/v2
fi
"$root/node_modules/.bin/tsx" "$here/login-consent.ts" &
pages=$!
./hydra serve all --dev --config "$here/hydra.yml" &
server=$!
trap 'kill $pages $server' EXIT
trap 'exit 0' INT TERM
until curl -sf http://127.0.0.1:4445/health/ready > /dev/null; do sleep 1; done
curl -sf -X POST http://127.0.0.1:4445/admin/clients -H 'content-type: application/json' -d "@$here/client.json" > /dev/null
echo 'Hydra is ready'
wait $server
