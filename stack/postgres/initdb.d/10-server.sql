-- Here and not in the shop's database: its dump must restore without a superuser.
CREATE EXTENSION pg_stat_statements;
-- Holds nothing back until a replica has used it.
SELECT pg_create_physical_replication_slot('replica_1') AS slot \gset
