"""`python demo/app.py RUN…` is `vlm-boundary demo RUN…`; without a RUN it opens those beside it."""

import os
import sys
from pathlib import Path

from vlm_boundary.cli import main

if __name__ == "__main__":
    here = Path(__file__).parent
    os.environ.setdefault("RUNS_DIR", str(here / "runs"))
    # Engines are processes of their own; on a Space the package lies beside this file.
    known = [str(here.resolve()), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(known)
    main(["demo", *sys.argv[1:]])
