"""The section `seeing`: what the picture, the thought and the training each do."""

from __future__ import annotations

from vlm_boundary.analysis.controls import controls
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.decomposition import decompositions, leanings, seeing_costs
from vlm_boundary.analysis.first_false import first_false
from vlm_boundary.analysis.self_agreement import self_agreement
from vlm_boundary.analysis.series import along_training
from vlm_boundary.analysis.stated import statements
from vlm_boundary.records.record import Curve, where_known
from vlm_boundary.records.seeing import Chains, Seeing, SeeingStep, SelfAgreement
from vlm_boundary.records.validity import FIRST_FALSE


def seeing(data: BenchmarkData) -> Seeing | None:
    """Differences taken apart, leaning, where chains fail, and what samples agree on.

    What is no function of an unbiased pass@k is of the samples up to the first look, where arms
    have a stopping rule. None where nothing of it is known.
    """
    alike = data.first_look
    stated = {arm: one for arm in alike.arms if (one := statements(alike, arm)) is not None}
    chains, agreement = first_false(alike, stated), self_agreement(alike, stated)
    known = where_known(
        costs=seeing_costs(data) or None,
        decomposition=decompositions(data) or None,
        leaning=leanings(data) or None,
        chains=chains,
        self_agreement=agreement,
    )
    if not known:
        return None
    return Seeing(**known, **where_known(training=_training(data, chains, agreement) or None))


def _training(
    data: BenchmarkData, chains: Chains | None, agreement: SelfAgreement | None
) -> list[SeeingStep]:
    """The arms along training, with what is known of each."""
    order = along_training(data)
    under = controls(data) or {}
    found = []
    for arm in order:
        config = data.experiment.arms[arm]
        of_arm = chains and chains.arms.get(arm)
        false = of_arm and {kind: getattr(of_arm.all_chains, kind) for kind in FIRST_FALSE}
        alike = agreement and agreement.arms.get(arm)
        found.append(
            SeeingStep(
                arm=arm,
                role=config.role,
                step=config.step,
                full_minus_control={
                    condition: _ends(arms[arm].full_minus_control)
                    for condition, arms in under.items()
                    if arm in arms
                },
                **where_known(first_false=false, agreement=alike),
            )
        )
    return found


def _ends(curve: Curve) -> Curve:
    return {k: curve[k] for k in sorted({min(curve), max(curve)})}
