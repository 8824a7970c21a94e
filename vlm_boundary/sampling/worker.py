"""An engine's process that draws; see `fleet.worker`."""

import sys

from vlm_boundary.fleet.worker import work_off
from vlm_boundary.sampling.work import Draw, Drawer

if __name__ == "__main__":
    sys.exit(work_off(Draw, Drawer))
