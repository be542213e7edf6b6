"""Decisions, pure: what was found and what is wanted make steps; already so makes ()."""
