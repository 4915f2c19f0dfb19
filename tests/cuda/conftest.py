"""What runs in numba's simulator of a GPU is collected there alone: test_simulator.py starts it."""

import os

collect_ignore = [] if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else ["simulated"]
