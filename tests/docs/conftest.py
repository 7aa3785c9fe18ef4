"""The manual's own modules stand beside its pages: the tests use them as `python docs/generate.py` does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
