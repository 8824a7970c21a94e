"""Seeds that depend on what is sampled, never on when, where or in which order."""

import hashlib

from vlm_boundary.config import MAX_SAMPLES


def problem_seed(run_seed: int, arm: str, benchmark: str, condition: str, problem_id: str) -> int:
    """The seed of a problem's first sample; sample i is drawn with this plus i.

    Below 2**32 - MAX_SAMPLES, so that adding i never carries past the 32 bits engines use, and
    any chunking, restart or larger n draws the same seeds.
    """
    key = "\0".join((str(run_seed), arm, benchmark, condition, problem_id))
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % ((1 << 32) - MAX_SAMPLES)
