"""What every test may rely on: one thread a process, the operator table, interrupts, and no hidden fault."""

from __future__ import annotations

import os
import signal

# The tests run side by side: threads of the BLAS that wait for each other would cost more than all the arithmetic.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

from matgrad.core.operators import table

# How long an example takes says more about what else the machine does than about us; each test has its time limit.
# Every run tries the same examples, so that what fails was changed; the long profile and the attacks look for new ones.
LONG_RUN = os.environ.get("HYPOTHESIS_PROFILE") == "long"
settings.register_profile(
    "loaded", deadline=None, derandomize=not LONG_RUN, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("loaded")
os.environ["MATGRAD_RAISE"] = "1"
table.load()
# What a script starts in the background ignores these signals, and so would the programs that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGQUIT", "SIGHUP"):
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
