#!/bin/sh
# Install the Debian packages of deploy/debian-packages.txt that are missing; only root on Debian can, others go on.
set -eu
list=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$(dirname "$0")/debian-packages.txt")
command -v dpkg-query >/dev/null || exit 0
missing=
for package in $list; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "packages: not root, so tests that need$missing are skipped by name"
    exit 0
fi
echo "packages: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  (a list of words)
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && exit 0
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
