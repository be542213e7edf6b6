"""Bringing the Paw Paw stack up on this host's Docker Engine, and taking it down again."""
