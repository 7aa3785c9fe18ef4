"""What every test may rely on: one thread a process, the operator table, and no broad `except` that hides anything."""

from __future__ import annotations

import os

# The tests run side by side: threads of the BLAS that wait for each other would cost more than all the arithmetic.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from matgrad.core.operators import table

os.environ["MATGRAD_RAISE"] = "1"
table.load()
