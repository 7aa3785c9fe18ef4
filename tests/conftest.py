"""What every test may rely on: the operator table is loaded, and no broad `except` hides what it caught."""

from __future__ import annotations

import os

from matgrad.core.operators import table

os.environ["MATGRAD_RAISE"] = "1"
table.load()
