"""The section `thoughts`: how often an answer is not what the thought before it concludes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vlm_boundary.analysis.counts import Bools
from vlm_boundary.analysis.data import BenchmarkData
from vlm_boundary.analysis.readings import of_the_same_text
from vlm_boundary.analysis.shares import share_of
from vlm_boundary.reasoning.thought import AGREES, DIFFERS
from vlm_boundary.records.reasoning import ThoughtDiffers, ThoughtsOfArm
from vlm_boundary.store import Partition

_LAYER = "structure"  # the layer that compares them


def thoughts(data: BenchmarkData) -> dict[str, ThoughtsOfArm] | None:
    """By arm, of samples whose thought concludes something: how many are answered otherwise.

    None where no arm has a separate thought. With a stopping rule hard problems have more samples
    than others, so only samples up to the first look are counted.
    """
    if _LAYER not in data.run.validity_layers():
        return None
    found = {}
    for arm in data.arms:
        agrees, differs = (_raised(data, arm, flag) for flag in (AGREES, DIFFERS))
        if not (agrees | differs).any():
            continue
        right = data.verdicts[arm].right
        found[arm] = ThoughtsOfArm(
            all_answers=_differing(data, arm, agrees, differs),
            right_answers=_differing(data, arm, agrees & right, differs & right)
            if ((agrees | differs) & right).any()
            else None,
        )
    return found or None


def _raised(data: BenchmarkData, arm: str, flag: str) -> Bools:
    """Whether the flag is raised of each verdict's sample, on the text that was graded."""
    verdicts = data.verdicts[arm]
    columns = ["problem_id", "sample_index", "flags", "text_hash"]
    partition = Partition(arm, data.benchmark)
    table = data.run.validity(_LAYER).read(partition, columns, coded=["problem_id"])
    flags = table["flags"].combine_chunks()
    owner = pc.list_parent_indices(flags).to_numpy(False)
    named = pc.equal(flags.flatten(), pa.scalar(flag)).to_numpy(False)
    raised = np.zeros(table.num_rows, dtype=bool)
    raised[owner[named.astype(bool)]] = True
    rows = of_the_same_text(verdicts, table)
    of_samples = np.zeros(len(verdicts), dtype=bool)
    of_samples[rows[(rows >= 0) & raised]] = True
    if arm in data.ended:
        of_samples &= verdicts.index < data.first_look.n(arm)
    return of_samples


def _differing(data: BenchmarkData, arm: str, agrees: Bools, differs: Bools) -> ThoughtDiffers:
    """The share of samples, with the interval of a ratio of sums over problems (linearised)."""
    verdicts = data.verdicts[arm]
    compared = verdicts.count(agrees | differs)
    otherwise = verdicts.count(differs)
    groups = data.groups(verdicts.problem_ids)
    return ThoughtDiffers(
        samples=int(compared.sum()),
        differ=int(otherwise.sum()),
        share=share_of(otherwise, compared, data.settings.confidence, groups),
    )
