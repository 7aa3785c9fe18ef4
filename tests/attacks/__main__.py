"""The long run of the attacks: `python -m matgrad.tests.attacks --inputs 1000000 --jobs 16`."""

from __future__ import annotations

import sys
from pathlib import Path

# As pytest does, so that the modules here are found under the same names by both.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from attacks.running import main

    main(sys.argv[1:])
