#!/bin/bash
# Starts PostgreSQL as the official image does, as far as this stack uses it: a new data folder gets
# a superuser, a database and the scripts of /docker-entrypoint-initdb.d, once.
set -euo pipefail

if [ "${1:-postgres}" != postgres ] && [ "${1#-}" = "$1" ]; then exec "$@"; fi
if [ "${1:-}" = postgres ]; then shift; fi

# Read before root is given up: a mounted secret often belongs to root alone.
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
  POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
  export POSTGRES_PASSWORD
  unset POSTGRES_PASSWORD_FILE
fi
if [ "$(id -u)" -eq 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  find "$PGDATA" \! -user postgres -exec chown postgres {} +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" postgres "$@"
fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

run_sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$user" --dbname "$@"; }

fill() {
  local file
  if [ "$database" != postgres ]; then
    run_sql postgres --set name="$database" <<<'CREATE DATABASE :"name";'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sql) echo "running $file" && run_sql "$database" --file "$file" ;;
      *.sh) echo "running $file" && bash "$file" ;;
    esac
  done
}

# Everything is made beside the final place and moved there at the end, the version file last:
# a first start that is cut off leaves nothing that a second one takes for a finished database.
make_data_folder() {
  local folder=$PGDATA/unfinished
  rm -rf "$folder"
  initdb --no-sync -D "$folder" --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  printf "listen_addresses = '*'\njit = off\n" >>"$folder/postgresql.conf"
  echo 'host all all all scram-sha-256' >>"$folder/pg_hba.conf"
  # On the local socket only, so that nobody finds a half-made database over TCP.
  pg_ctl -D "$folder" -w -s -o "-c listen_addresses=''" start
  fill
  pg_ctl -D "$folder" -w -s -m fast stop
  find "$folder" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
  mv "$folder/PG_VERSION" "$PGDATA/"
  rmdir "$folder"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo 'error: a new data folder needs POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE' >&2
    exit 1
  fi
  find "$PGDATA" -mindepth 1 -delete
  make_data_folder
fi
unset POSTGRES_PASSWORD
exec postgres "$@"
