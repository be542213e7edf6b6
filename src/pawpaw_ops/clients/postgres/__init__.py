"""PostgreSQL over psycopg: connections, facts, fingerprints, side databases and the swap of names."""
