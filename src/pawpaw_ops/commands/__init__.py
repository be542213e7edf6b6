"""How each tool is spoken to: pure builders of command lines, and parsers of what comes back."""
