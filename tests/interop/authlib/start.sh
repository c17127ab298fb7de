#!/bin/sh
# Starts the server of this folder, with the packages of requirements.txt from PyPI. Needs Python 3.11.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${NORTHKEY_INTEROP:-$here/../../../dist/interop}/authlib
mkdir -p "$work"
[ -d "$work/venv" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
exec "$work/venv/bin/python" "$here/server.py" "$work"
