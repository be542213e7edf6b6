--
-- PostgreSQL database dump
--

\restrict tGlAbLnmtbtKkPlubfgfUvsqOOUcM4dQPqSfGkEXd4GC7ZFjfDAb61UaQpLSIkh

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: odd; schema; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA "odd; schema";


ALTER SCHEMA "odd; schema" OWNER TO postgres;

--
-- Name: atomic(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.atomic(n integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (n > 1) THEN 2
             ELSE 3
         END AS "case";
 SELECT n AS n;
END;


ALTER FUNCTION public.atomic(n integer) OWNER TO postgres;

--
-- Name: plain(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.plain(n integer) RETURNS text
    LANGUAGE plpgsql
    AS $_$
BEGIN
  -- a line that is a COPY to anybody who does not count quotes:
  RETURN 'COPY public.orders (id) FROM stdin;
\.
\connect postgres
' || $q$ it's; $q$ || n;
END
$_$;


ALTER FUNCTION public.plain(n integer) OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: it's (a) "table"; Type: TABLE; Schema: odd; schema; Owner: postgres
--

CREATE TABLE "odd; schema"."it's (a) ""table""" (
    "col;1" text,
    "col)2" text DEFAULT 'a\b''; \.
COPY x FROM stdin;
'::text
);


ALTER TABLE "odd; schema"."it's (a) ""table""" OWNER TO postgres;

--
-- Name: empty; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.empty (
    id integer
);


ALTER TABLE public.empty OWNER TO postgres;

--
-- Name: nothing; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.nothing (
);


ALTER TABLE public.nothing OWNER TO postgres;

--
-- Name: orders; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.orders (
    id integer NOT NULL,
    note text,
    total numeric(10,2)
);


ALTER TABLE public.orders OWNER TO postgres;

--
-- Name: TABLE orders; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.orders IS 'it''s a comment;
\.
-- PostgreSQL database dump complete
CREATE DATABASE no;
/* not closed';


--
-- Name: v; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v AS
 VALUES (1,'a;b'::text), (2,'('::text);


ALTER TABLE public.v OWNER TO postgres;

--
-- Data for Name: it's (a) "table"; Type: TABLE DATA; Schema: odd; schema; Owner: postgres
--

INSERT INTO "odd; schema"."it's (a) ""table""" ("col;1", "col)2") VALUES
	('\.
\.
1', 'a\b''; \.
COPY x FROM stdin;
'),
	('\.
\.
2', 'a\b''; \.
COPY x FROM stdin;
'),
	('\.
\.
3', 'a\b''; \.
COPY x FROM stdin;
');


--
-- Data for Name: empty; Type: TABLE DATA; Schema: public; Owner: postgres
--



--
-- Data for Name: nothing; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.nothing DEFAULT VALUES;
INSERT INTO public.nothing DEFAULT VALUES;


--
-- Data for Name: orders; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.orders (id, note, total) VALUES
	(1, '\.', 1.00),
	(2, 'a
b\N;', 2.00),
	(3, 'ñandú ''x'' $$', 3.00),
	(4, NULL, 4.00),
	(5, '\.', 5.00),
	(6, 'a
b\N;', 6.00),
	(7, 'ñandú ''x'' $$', 7.00);
INSERT INTO public.orders (id, note, total) VALUES
	(8, NULL, 8.00),
	(9, '\.', 9.00),
	(10, 'a
b\N;', 10.00),
	(11, 'ñandú ''x'' $$', 11.00),
	(12, NULL, 12.00),
	(13, '\.', 13.00),
	(14, 'a
b\N;', 14.00);
INSERT INTO public.orders (id, note, total) VALUES
	(15, 'ñandú ''x'' $$', 15.00),
	(16, NULL, 16.00),
	(17, '\.', 17.00),
	(18, 'a
b\N;', 18.00),
	(19, 'ñandú ''x'' $$', 19.00),
	(20, NULL, 20.00),
	(21, '\.', 21.00);
INSERT INTO public.orders (id, note, total) VALUES
	(22, 'a
b\N;', 22.00),
	(23, 'ñandú ''x'' $$', 23.00),
	(24, NULL, 24.00),
	(25, '\.', 25.00),
	(26, 'a
b\N;', 26.00),
	(27, 'ñandú ''x'' $$', 27.00),
	(28, NULL, 28.00);
INSERT INTO public.orders (id, note, total) VALUES
	(29, '\.', 29.00),
	(30, 'a
b\N;', 30.00);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


--
-- Name: empty r; Type: RULE; Schema: public; Owner: postgres
--

CREATE RULE r AS
    ON UPDATE TO public.empty DO INSTEAD ( INSERT INTO public.orders (id, note, total)
  VALUES (new.id, 'r;'::text, 1);

 NOTIFY x;
);


--
-- PostgreSQL database dump complete
--

\unrestrict tGlAbLnmtbtKkPlubfgfUvsqOOUcM4dQPqSfGkEXd4GC7ZFjfDAb61UaQpLSIkh

