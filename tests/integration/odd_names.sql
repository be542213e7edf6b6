-- Names, values and bodies that a reader of SQL dumps may take for something else.
CREATE SCHEMA "odd; schema";
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, seen timestamptz, data jsonb);
CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer integer NOT NULL REFERENCES customers,
    note text,
    total numeric(10,2) CHECK (total >= 0)
);
CREATE TABLE "odd; schema"."it's (a) ""table""" ("col;1" text, "col)2" text DEFAULT E'a\\b\'; \\.\nCOPY x FROM stdin;\n');
CREATE TABLE empty (id integer);
CREATE TABLE nothing ();
CREATE FUNCTION plain(n integer) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  RETURN 'COPY public.orders (id) FROM stdin;
\.
\connect postgres
' || $q$ it's; $q$ || n;
END
$body$;
CREATE FUNCTION atomic(n integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC
  SELECT CASE WHEN n > 1 THEN 2 ELSE 3 END; SELECT n; END;
CREATE VIEW v AS VALUES (1, 'a;b'), (2, '(');
CREATE RULE r AS ON UPDATE TO empty DO INSTEAD (DELETE FROM nothing; NOTIFY x);
COMMENT ON TABLE orders IS 'it''s a comment;
\.
-- PostgreSQL database dump complete
CREATE DATABASE no;
/* not closed';
INSERT INTO customers SELECT n, 'ñandú ' || n, '2026-01-01 00:00Z'::timestamptz + n * interval '1 hour',
    jsonb_build_object('n', n, 'text', E'a\\b\n"c"') FROM generate_series(1, 500) n;
INSERT INTO orders (customer, note, total) SELECT 1 + n % 500,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN E'\\.' WHEN 2 THEN E'a\nb\\N;' ELSE 'it''s $$' END, n FROM generate_series(1, 5000) n;
INSERT INTO "odd; schema"."it's (a) ""table""" SELECT E'\\.\n\\.\n' || n FROM generate_series(1, 3) n;
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO nothing DEFAULT VALUES;
SELECT lo_from_bytea(0, '\x5c2e0a5c2e0a27');
