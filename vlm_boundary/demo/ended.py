"""How far problems went under a stopping rule, and why they ended there."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.stopping import stopped_pass_at_k
from vlm_boundary.config import FULL
from vlm_boundary.demo.codes import Bit, Codes, has
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.stopping import Standing, StoppingRule


def rule_of(run: RunIndex, arm: str, condition: str) -> StoppingRule | None:
    """The rule that an arm's problems end by, as the manifest has it; controls have none."""
    known = run.manifest.arms.get(arm)
    stop = known.sampling.get("stop") if known and condition == FULL else None
    if known is None or not stop:
        return None
    return StoppingRule((*stop["after"], known.sampling["n"]), stop["right"])


def standing(rule: StoppingRule, codes: Codes) -> Standing:
    """How far one problem has come by its verdicts; `codes` are those of its samples."""
    graded = np.flatnonzero(has(codes, Bit.GRADED))
    return rule.standing(graded.tolist(), has(codes, Bit.CORRECT)[graded].tolist())


def ended_line(rule: StoppingRule, end: Standing) -> str:
    """The same in words."""
    if not end.complete:
        return f"goes on to {end.look} of at most {rule.n} samples"
    if end.look == rule.n:
        return f"all {rule.n} samples, since no look before had {rule.right} right"
    return f"ended at {end.look} of at most {rule.n} samples, {end.right} of them right"


def ended_rates(rule: StoppingRule, codes: Codes) -> tuple[float, float, float] | None:
    """pass@1, pass@n and samples per problem; None until every problem has come to its end.

    Args:
        codes: of the problems that have samples, shape (problems, samples).
    """
    ends = [standing(rule, row) for row in codes]
    if not all(end.complete for end in ends):
        return None
    looks, right = np.array([end.look for end in ends]), np.array([end.right for end in ends])
    rates = stopped_pass_at_k(right, looks, np.array([1, rule.n]), rule).mean(axis=0)
    return float(rates[0]), float(rates[1]), float(looks.mean())
