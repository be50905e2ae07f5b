"""Content into passages, passages into an index, questions into typed answers."""
