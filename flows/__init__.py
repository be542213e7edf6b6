"""What the system does: one lifecycle verb per file."""
