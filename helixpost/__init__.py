"""The composition root: reads the settings, builds the roles and runs them; owns the commands."""
