"""Letters: compose, personalise, sign, send, schedule."""
