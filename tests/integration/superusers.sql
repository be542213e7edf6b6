-- What only a superuser has.
CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE DEBUG ''x''; END';
CREATE EVENT TRIGGER vigila ON ddl_command_end EXECUTE FUNCTION noticed();
CREATE PUBLICATION todo FOR ALL TABLES;
CREATE FUNCTION poder() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM pg_authid';
REVOKE EXECUTE ON FUNCTION poder FROM PUBLIC;
CREATE VIEW contras AS SELECT rolname, rolpassword FROM pg_authid;
CREATE VIEW cuantas AS SELECT count(*) AS n FROM contras;
