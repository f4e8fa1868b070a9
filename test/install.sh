#!/bin/sh
# Installs what the tests need beside Go, where it is missing: a PostgreSQL server and Chromium. Only as root and only with
# apt-get; elsewhere it says what is missing and leaves it to the tests to be skipped (or, under CI=true, to fail for it).
set -eu

want=""
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1 || want="$want postgresql"
if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
  want="$want chromium"
fi
# A browser without any font draws empty boxes, and measures them.
if command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list 2>/dev/null | head -1)" ]; then :; else
  want="$want fontconfig fonts-liberation"
fi

[ -n "$want" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "missing, and not installed (needs root and apt-get):$want" >&2
  exit 0
fi
echo "installing:$want" >&2
export DEBIAN_FRONTEND=noninteractive
# RUNLEVEL=1 keeps Debian from starting a server of its own: the tests start theirs.
export RUNLEVEL=1
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $want >/dev/null
