"""The life of a Docker Compose production stack: commands, plans, clients and sessions that the flows are built from."""

__version__ = "0.1.0"
