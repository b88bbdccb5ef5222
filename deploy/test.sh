#!/bin/sh
# Everything that `make check` does, then every test; pytest's summary comes last. Fails where either failed.
cd "$(dirname "$0")/.." || exit 2
./deploy/packages.sh || exit 1
./deploy/check.sh
checked=$?
.venv/bin/python -m pytest "$@"
tested=$?
[ "$checked" = 0 ] || echo "make check failed, see above" >&2
[ "$checked" = 0 ] && exit "$tested"
exit 1
