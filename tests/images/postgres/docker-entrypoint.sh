#!/bin/bash
# First start with an empty data folder: initdb, a server on the socket alone, the init scripts. Then the server itself.
set -Eeuo pipefail

if [ "${1:-}" = "" ] || [ "${1:0:1}" = "-" ]; then
  set -- postgres "$@"
fi
if [ "$1" != postgres ] || [ -s "$PGDATA/PG_VERSION" ]; then
  exec "$@"
fi

if [ "$(id -u)" = 0 ]; then
  echo "this stand-in does not change users: start it as 999" >&2
  exit 1
fi
if [ -z "${POSTGRES_PASSWORD:-}" ]; then
  echo "POSTGRES_PASSWORD is not set" >&2
  exit 1
fi
POSTGRES_USER=${POSTGRES_USER:-postgres}
POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
export POSTGRES_USER POSTGRES_DB

mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") ${POSTGRES_INITDB_ARGS:-}"

export PGUSER=$POSTGRES_USER PGPASSWORD=$POSTGRES_PASSWORD
pg_ctl --pgdata="$PGDATA" --options="$(printf '%q ' "${@:2}" -c listen_addresses= -p 5432)" --wait start
if [ "$POSTGRES_DB" != postgres ]; then
  createdb --maintenance-db=postgres -- "$POSTGRES_DB"
fi
for script in /docker-entrypoint-initdb.d/*; do
  case "$script" in
  *.sh)
    if [ -x "$script" ]; then "$script"; else bash "$script"; fi
    ;;
  *.sql) psql --set=ON_ERROR_STOP=1 --no-psqlrc --dbname="$POSTGRES_DB" --file="$script" ;;
  esac
done
pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
unset PGUSER PGPASSWORD
exec "$@"
