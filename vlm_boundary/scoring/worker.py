"""An engine's process that scores; see `fleet.worker`."""

import sys

from vlm_boundary.fleet.worker import work_off
from vlm_boundary.scoring.work import Score, Scorer

if __name__ == "__main__":
    sys.exit(work_off(Score, Scorer))
