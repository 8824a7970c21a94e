"""`python demo/app.py RUN…` is `vlm-boundary demo RUN…`."""

import sys

from vlm_boundary.cli import main

if __name__ == "__main__":
    main(["demo", *sys.argv[1:]])
