"""maj@k: the chance that the most frequent of k answers is the right one."""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Codes, Floats, Ints, Verdicts

WINDOWS = 16


def majority_at_k(verdicts: Verdicts, ks: Ints, rng: np.random.Generator) -> Floats:
    """Probability that k samples vote for the right answer (self-consistency, arXiv 2203.11171).

    Right answers vote together, whatever their form; wrong ones vote with those of the same
    normalised answer. Of several answers with most votes each wins a fair share, and a sample
    without an answer votes for none.

    Each problem's samples are put into one random order, and the k samples after each of `WINDOWS`
    evenly spaced starts vote: exact for k = 1 and k = n, an unbiased estimate between.

    Args:
        ks: ascending, shape (ks,).

    Returns:
        Shape (problems, ks); NaN for a problem with fewer than k samples.
    """
    counts = verdicts.counts
    candidate, first = candidates(verdicts)
    total = int(first[-1])
    owner = np.repeat(np.arange(len(counts.samples)), np.diff(first))
    order = np.lexsort((rng.random(len(verdicts)), verdicts.problem))
    shuffled = candidate[order]
    begin = np.concatenate([[0], np.cumsum(counts.samples)[:-1]])
    won = np.zeros((len(counts.samples), len(ks)))
    for window in range(WINDOWS):
        offset = window * counts.samples // WINDOWS
        votes = np.zeros(total, dtype=np.int64)
        before = 0
        for column, k in enumerate(ks.tolist()):
            # A problem with fewer than k samples goes round; its value is not used.
            drawn = (offset[:, None] + np.arange(before, k)) % counts.samples[:, None]
            voted = shuffled[begin[:, None] + drawn].ravel()
            votes += np.bincount(voted[voted >= 0], minlength=total)
            before = k
            most = np.maximum.reduceat(votes, first[:-1])
            winners = np.add.reduceat(votes == most[owner], first[:-1])
            right = votes[first[:-1]]
            won[:, column] += np.where((right == most) & (right > 0), 1.0 / winners, 0.0)
    values = won / WINDOWS
    values[:, ks == 1] = (counts.correct / counts.samples)[:, None]
    return np.where(ks <= counts.samples[:, None], values, np.nan)


def candidates(verdicts: Verdicts) -> tuple[Codes, Ints]:
    """What there is to vote for: the right answer, whatever its form, and each wrong one.

    Returns:
        Each sample's candidate, -1 for no vote; and the place of each problem's first candidate,
        the right answer (which may have no votes), with the number of all at the end.
    """
    problems = len(verdicts.problem_ids)
    width = len(verdicts.answers) + 2
    # 0 stands for the right answer, so that it sorts first among its problem's.
    answer = np.where(verdicts.right, 0, verdicts.answer.astype(np.int64) + 1)
    voted = verdicts.right | (verdicts.answer >= 0)
    base = verdicts.problem.astype(np.int64) * width
    rights = np.arange(problems, dtype=np.int64) * width
    keys = np.concatenate([rights, (base + answer)[voted]])
    distinct, place = np.unique(keys, return_inverse=True)
    candidate = np.full(len(verdicts), -1, dtype=np.int32)
    candidate[voted] = place[problems:]
    first = np.append(np.searchsorted(distinct, rights), len(distinct)).astype(np.int64)
    return candidate, first
