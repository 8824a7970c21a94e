"""The section `seeing`: what the picture, the thought and the training each do."""

from __future__ import annotations

from typing import Any

from vlm_boundary.analysis.controls import controls
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.decomposition import decompositions, leanings, seeing_costs
from vlm_boundary.analysis.first_false import first_false
from vlm_boundary.analysis.self_agreement import self_agreement
from vlm_boundary.analysis.series import along_training
from vlm_boundary.analysis.stated import statements
from vlm_boundary.records.record import Curve
from vlm_boundary.records.seeing import Chains, Seeing, SeeingStep, SelfAgreement
from vlm_boundary.records.stated import FIRST_FALSE


def seeing(data: BenchmarkData) -> Seeing | None:
    """Differences taken apart, leaning, where chains fail, and what samples agree on.

    What is no function of an unbiased pass@k is of the samples up to the first look, where arms
    have a stopping rule. None where nothing of it is known.
    """
    alike = data.first_look
    stated = {arm: one for arm in alike.arms if (one := statements(alike, arm)) is not None}
    chains, agreement = first_false(alike, stated), self_agreement(alike, stated)
    parts: dict[str, Any] = {
        "costs": seeing_costs(data),
        "decomposition": decompositions(data),
        "leaning": leanings(data),
        "chains": chains,
        "self_agreement": agreement,
    }
    known = {name: part for name, part in parts.items() if part}
    if not known:
        return None
    if steps := _training(data, chains, agreement):
        known["training"] = steps
    return Seeing(**known)


def _training(
    data: BenchmarkData, chains: Chains | None, agreement: SelfAgreement | None
) -> list[SeeingStep]:
    """The arms along training, with what is known of each."""
    order = along_training(data)
    under = controls(data) or {}
    found = []
    for arm in order:
        config = data.experiment.arms[arm]
        more: dict[str, Any] = {}
        if chains and arm in chains.arms:
            shares = chains.arms[arm].all_chains
            more["first_false"] = {kind: getattr(shares, kind) for kind in FIRST_FALSE}
        if agreement and arm in agreement.arms:
            more["agreement"] = agreement.arms[arm]
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
                **more,
            )
        )
    return found


def _ends(curve: Curve) -> Curve:
    return {k: curve[k] for k in sorted({min(curve), max(curve)})}
