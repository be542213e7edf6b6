#!/bin/bash
# Roles, database, slot. No password is part of any statement: psql's \password sends the verifier that it computes here.
set -euo pipefail

app=${DB_USER:-pawpaw_app_a}

psql --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --username=postgres --dbname=postgres --set=db="$DB_NAME" --set=app="$app" <<'SQL'
CREATE ROLE pawpaw_owner NOLOGIN;
CREATE ROLE pawpaw_app_a NOLOGIN IN ROLE pawpaw_owner;
CREATE ROLE pawpaw_app_b NOLOGIN IN ROLE pawpaw_owner;
-- Whichever of the two logs in, what it makes belongs to the owner.
ALTER ROLE pawpaw_app_a SET role = 'pawpaw_owner';
ALTER ROLE pawpaw_app_b SET role = 'pawpaw_owner';
ALTER ROLE :"app" LOGIN;
CREATE ROLE pawpaw_backup LOGIN IN ROLE pg_read_all_data;
CREATE ROLE pawpaw_exporter LOGIN CONNECTION LIMIT 8 IN ROLE pg_monitor;
CREATE ROLE pawpaw_rotator LOGIN CREATEROLE CONNECTION LIMIT 4;
CREATE ROLE pawpaw_replicator LOGIN REPLICATION;

CREATE DATABASE :"db" OWNER pawpaw_owner;
-- Here and not in the shop's database: its dump must restore without a superuser.
CREATE EXTENSION pg_stat_statements;
SELECT pg_create_physical_replication_slot('replica_1') \g /dev/null
SQL

# psql asks twice, on the terminal where there is one; in a session of its own it has none and reads its input.
set_password() {
  printf '%s\n%s\n' "$2" "$2" |
    setsid --wait psql --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres --command="\\password $1" \
      2>/tmp/set-password.err || { cat /tmp/set-password.err >&2 && exit 1; }
}
set_password "$app" "$DB_PASSWORD"
set_password pawpaw_backup "$BACKUP_DB_PASSWORD"
set_password pawpaw_exporter "$EXPORTER_DB_PASSWORD"
set_password pawpaw_rotator "$ROTATOR_DB_PASSWORD"
set_password pawpaw_replicator "$REPLICATOR_DB_PASSWORD"
