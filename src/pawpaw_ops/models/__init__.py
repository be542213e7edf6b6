"""Frozen nouns; importing one reads no file and opens no connection."""
