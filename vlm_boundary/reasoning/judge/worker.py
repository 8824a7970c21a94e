"""An engine's process that judges; see `fleet.worker`."""

import sys

from vlm_boundary.fleet.worker import work_off
from vlm_boundary.reasoning.judge.work import Judge, Judging

if __name__ == "__main__":
    sys.exit(work_off(Judge, Judging))
