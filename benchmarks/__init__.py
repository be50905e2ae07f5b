"""Every claim about speed and memory, as a script that prints a ratio."""
