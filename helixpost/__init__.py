"""The composition root: reads the settings, builds the roles and runs them; owns the commands."""

import sys

# Where rich is installed, structlog loads it to draw tracebacks. Our logs show none, for they may hold
# addresses: without it every process takes 4 MB less.
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402, F401

del sys.modules["rich"]
