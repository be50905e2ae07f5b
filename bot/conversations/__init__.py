"""What the bot talks about: one module per theme."""
