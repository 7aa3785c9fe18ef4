"""What every test may rely on: one thread a process, the operator table, and no broad `except` that hides anything."""

from __future__ import annotations

import os

# The tests run side by side: threads of the BLAS that wait for each other would cost more than all the arithmetic.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

from matgrad.core.operators import table

# How long an example takes says more about what else the machine does than about us; each test has its time limit.
settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")
os.environ["MATGRAD_RAISE"] = "1"
table.load()
