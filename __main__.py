"""`python -m matgrad` is `matgrad`."""

from __future__ import annotations

import sys

from .cli.main import program

if __name__ == "__main__":
    sys.exit(program())
