"""What every test may rely on: the operator table is loaded."""

from __future__ import annotations

from matgrad.core.operators import table

table.load()
