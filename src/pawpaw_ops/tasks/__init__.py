"""Prefect begins here: one task is one step that an operator recognises."""
