#!/usr/bin/env bash
# Keeps a small database of the present version in test/upgrade/<version>/: a demo on each kind of store, dumped.
# Usage: test/upgrade/make.sh v0.1.0     (needs PostgreSQL's programs, found as test/pg finds them)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$1
out=test/upgrade/$version
[ ! -e "$out" ] || { echo "$out exists: a kept database is never changed" >&2; exit 1; }
work=$(mktemp -d)
pids=()
finish() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"; }
trap finish EXIT
go build -o "$work/tcap" ./cmd/tcap
go build -o "$work/pg" ./test/pg/cmd

demo() { # folder, further flags
  "$work/tcap" demo --data "$1" --listen 127.0.0.1:0 "${@:2}" 2> "$1.log" & demo_pid=$!
  pids+=("$demo_pid")
  for _ in $(seq 300); do [ -e "$1/demo.json" ] && break; sleep 0.2; done
  [ -e "$1/demo.json" ] || { cat "$1.log" >&2; exit 1; }
  kill -INT "$demo_pid"; wait "$demo_pid"
}

mkdir -p "$out"
demo "$work/sqlite"
sqlite="$work/sqlite/tcap.db"
go run ./test/upgrade/pack "$sqlite" "$work/packed.db"
gzip -9 -c "$work/packed.db" > "$out/sqlite.db.gz"

"$work/pg" > "$work/pg.url" & pids+=($!)
for _ in $(seq 100); do [ -s "$work/pg.url" ] && break; sleep 0.2; done
url=$(head -1 "$work/pg.url")
demo "$work/postgres" --database-url "$url"
pg_dump --no-owner --no-privileges --inserts "$url" | gzip -9 > "$out/postgres.sql.gz"
ls -l "$out"
