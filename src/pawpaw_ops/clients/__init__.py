"""The only modules that open a connection: PostgreSQL, object stores, and later Docker, GitHub, Prometheus, Loki."""
