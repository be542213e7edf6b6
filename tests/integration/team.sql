-- The team's database: everything belongs to whoever the application logs in as. `:other` is a role of somebody else.
CREATE EXTENSION citext;
CREATE SCHEMA ventas;
CREATE TYPE ventas.estado AS ENUM ('nuevo', 'pagado');
CREATE DOMAIN precio AS numeric CHECK (VALUE >= 0);
CREATE TYPE rango AS RANGE (subtype = numeric);
CREATE TYPE par AS (a int, b text);
CREATE TABLE ventas."clientes ñ" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, correo citext);
CREATE TABLE ventas.pedidos (
    id bigserial PRIMARY KEY, estado ventas.estado DEFAULT 'nuevo',
    cliente bigint NOT NULL REFERENCES ventas."clientes ñ" (id) ON DELETE CASCADE, total precio
);
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, finished_at timestamptz);
INSERT INTO ventas."clientes ñ" (correo) SELECT 'c' || n FROM generate_series(1, 20) n;
CREATE SEQUENCE folio;
CREATE TABLE partes (k int) PARTITION BY RANGE (k);
CREATE TABLE partes_1 PARTITION OF partes FOR VALUES FROM (0) TO (10);
CREATE VIEW ventas.resumen AS SELECT cliente, sum(total) AS total FROM ventas.pedidos GROUP BY cliente;
CREATE MATERIALIZED VIEW ventas.tablero AS SELECT count(*) AS n FROM ventas.pedidos;
CREATE FUNCTION suma(a int, VARIADIC b int[]) RETURNS int LANGUAGE sql AS 'SELECT a + b[1]';
CREATE FUNCTION solo_yo() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION solo_yo FROM PUBLIC;
CREATE PROCEDURE nada(INOUT a int) LANGUAGE sql AS 'SELECT a';
CREATE AGGREGATE todos(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE junta(int) (SFUNC = int4pl, STYPE = int);
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE STATISTICS st ON id, cliente FROM ventas.pedidos;
CREATE COLLATION sin_tilde (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE PUBLICATION una FOR TABLE ventas.pedidos;
SELECT lo_from_bytea(0, '\x0102');
ALTER DEFAULT PRIVILEGES IN SCHEMA ventas GRANT SELECT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO pg_monitor WITH GRANT OPTION;
GRANT SELECT ON ventas.pedidos TO pg_monitor;
GRANT UPDATE (total) ON ventas.pedidos TO pg_monitor WITH GRANT OPTION;
