"""What is done: one lifecycle verb per file; a flow body reads as the runbook."""
