#!/bin/sh
# The example server of zitadel/oidc 3.52.0 by Go's module proxy, on http://localhost:8187/. Needs Go 1.26.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${NORTHKEY_INTEROP:-$here/../../../dist/interop}/zitadel
mkdir -p "$work"
cd "$work"
if [ ! -x op ]; then
  printf 'module interop.example/zitadel\n\ngo 1.26\n' > go.mod
  GOFLAGS=-mod=mod go get -tool github.com/zitadel/oidc/v3/example/server@v3.52.0
  go build -o op github.com/zitadel/oidc/v3/example/server
fi
chromium=https://nkcaacnhigngakebhebaldnbghooogac.chromiumapp.org/dQHNEVc0V-O0j7U_SwB9aA
firefox=https://83f425f2377c3d66489666a028ecfaceffcf6e28.extensions.allizom.org/dQHNEVc0V-O0j7U_SwB9aA
PORT=8187 REDIRECT_URI=$chromium,$firefox exec ./op
