"""The fleet: engine processes on this machine, what they are given to do, and their supervision."""

from vlm_boundary.fleet.supervise import Crew, EngineDied
from vlm_boundary.fleet.work import Job, Unit, make_jobs

__all__ = ["Crew", "EngineDied", "Job", "Unit", "make_jobs"]
