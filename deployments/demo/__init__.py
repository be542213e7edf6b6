"""The demo: a database's life in about a minute, on servers of its own."""
