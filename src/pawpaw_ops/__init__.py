"""The life of a Docker Compose production stack: what its flows are built from."""

__version__ = "0.1.0"
