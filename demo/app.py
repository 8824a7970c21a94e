"""`python demo/app.py RUN…` is `vlm-boundary demo RUN…`; without a RUN it opens those beside it."""

import os
import sys
from pathlib import Path

from vlm_boundary.cli import main

if __name__ == "__main__":
    os.environ.setdefault("RUNS_DIR", str(Path(__file__).parent / "runs"))
    main(["demo", *sys.argv[1:]])
