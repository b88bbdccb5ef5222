#!/bin/sh
# Everything that needs no running process: linters, types, contracts, drift. All of it runs; the failed are named.
cd "$(dirname "$0")/.." || exit 2
PATH="$PWD/.venv/bin:$PATH"
export PATH
failed=
check() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        echo "check: $name"
    else
        echo "$output"
        echo "check: $name FAILED"
        failed="$failed $name"
    fi
}
check format ruff format --check .
check lint ruff check .
check types mypy
check contracts lint-imports
check migrations python manage.py makemigrations --check --dry-run
check protocol python manage.py protocol --check
check openapi python manage.py openapi --check
check configuration python manage.py configuration --check
check frontend npm --prefix frontend run --silent check
check vitest npm --prefix frontend run --silent test
[ -z "$failed" ] || echo "check: failed:$failed"
[ -z "$failed" ]
