"""Unbiased estimators where problems end early, by a rule on their own right samples.

A rule looks after L_1 < … < L_m = n samples and ends a problem at the first look with r right ones
(docs/stopping.md). Of a problem that ended at look L with c right samples, with L' the look before
(0 if none) and M = L - L', all sequences that end so are equally likely. The share of them whose
first k samples are all wrong is an unbiased estimate of (1 - p)^k for k up to n (Girshick,
Mosteller and Savage 1946):

    w_s ∝ C(L', s) C(M, c-s),                        s < r, adding up to 1
    f_k = Σ_s w_s C(L'-s, k) / C(L', k)              k <= L'
    f_k = w_0 C(M-c, k-L') / C(M, k-L')              L' < k <= L
    f_k = 0                                          k > L
"""

from __future__ import annotations

import numpy as np

from vlm_boundary.analysis.counts import Counts, Floats, Ints
from vlm_boundary.analysis.estimators import all_of, pass_at_k
from vlm_boundary.stopping import StoppingRule


def stopped_pass_at_k(correct: Ints, samples: Ints, ks: Ints, rule: StoppingRule) -> Floats:
    """pass@k of problems that ended by a rule: 1 - f_k (see the module), unbiased up to its n.

    Args:
        correct: c among the samples up to the look at which a problem ended, shape (problems,).
        samples: that look, shape (problems,).
        ks: each at least 1, ascending, shape (ks,).

    Returns:
        Shape (problems, ks); NaN where k is above the rule's n.

    Raises:
        ValueError: no problem ends at such a look with such a count.
    """
    return 1.0 - missed(correct, correct, samples, ks, rule)


def stopped_lenient_pass_at_k(
    correct: Ints, others: Ints, samples: Ints, ks: Ints, rule: StoppingRule
) -> Floats:
    """The same with further samples taken as right that do not end a problem.

    Those are any u (`others`) of the L - c samples that the rule does not count, each set as likely
    as any other: 1 - f_k C(L-c-u, k) / C(L-c, k). So are undecided samples, or right ones that are
    not valid where the rule counts valid ones.
    """
    rest = np.asarray(samples) - correct
    if ((others < 0) | (others > rest)).any():
        raise ValueError("of a problem's samples, not more can be right or undecided")
    none = missed(correct, correct, samples, ks, rule)
    spared = np.nan_to_num(all_of(rest - others, rest, ks))  # NaN where f_k is 0, or nothing is
    return np.asarray(1.0 - none * spared)


def stopped_part_pass_at_k(
    part: Ints, correct: Ints, samples: Ints, ks: Ints, rule: StoppingRule
) -> tuple[Floats, Floats]:
    """Bounds of the probability that one of k samples is of a part of those that the rule counts.

    Of c right samples v (`part`) are said outright, or valid, each set as likely as any other. Of a
    problem that ended before k it is known that the first k hold one of the part where v > 0; where
    v = 0 nothing is, so that it counts 0 in the lower and 1 in the upper bound.

    Returns:
        low and high, each of shape (problems, ks); NaN where k is above the rule's n.
    """
    found = 1.0 - missed(part, correct, samples, ks, rule)
    open_ = np.isnan(found) & (np.asarray(ks) <= rule.n)
    return np.where(open_, 0.0, found), np.where(open_, 1.0, found)


def stopped_variance(correct: Ints, samples: Ints, ks: Ints, rule: StoppingRule) -> Floats:
    """Variance of the pass@k estimate of one problem over its samples, the problem being fixed.

    Unbiased: f_k² - f_2k. Shape (problems, ks); NaN where 2k is above the rule's n.
    """
    twice = 2 * np.asarray(ks)
    once = missed(correct, correct, samples, ks, rule)
    return np.asarray(once**2 - missed(correct, correct, samples, twice, rule))


def missed(part: Ints, correct: Ints, samples: Ints, ks: Ints, rule: StoppingRule) -> Floats:
    """Probability that the first k samples hold none of a part of those that the rule counts.

    With v of the c right ones in the part, x of them among the first L' samples and W_x = Σ_s w_s
    C(v, x) C(c-v, s-x) / C(c, s):

        Σ_x W_x C(L'-x, k) / C(L', k)          for k <= L',
        W_0 C(M-v, k-L') / C(M, k-L')          for L' < k <= L,

    and beyond L 0 where v > 0. With v = c it is f_k.

    Returns:
        Shape (problems, ks); NaN where k is above L and v = 0, since that is not known, or above n.
    """
    v, c, n = (np.asarray(each, dtype=np.int64) for each in (part, correct, samples))
    _check(v, c, n, rule)
    ks = np.asarray(ks, dtype=np.int64)
    distinct, place = np.unique(np.stack([n, c, v]), axis=1, return_inverse=True)
    rows = np.empty((distinct.shape[1], len(ks)))
    for look in rule.looks:
        here = np.flatnonzero(distinct[0] == look)
        if len(here):
            rows[here] = _missed_at(look, distinct[1, here], distinct[2, here], ks, rule)
    return rows[place.reshape(-1)]


def _check(part: Ints, correct: Ints, samples: Ints, rule: StoppingRule) -> None:
    """Refuse counts that no problem ends with."""
    if ((part < 0) | (part > correct)).any():
        raise ValueError("counts must be 0 <= part <= correct")
    for look, right in {*zip(samples.tolist(), correct.tolist(), strict=True)}:
        if not rule.ends_with(look, right):
            raise ValueError(f"by {rule} no problem ends with {right} right of {look} samples")


def _missed_at(look: int, correct: Ints, part: Ints, ks: Ints, rule: StoppingRule) -> Floats:
    """`missed` of problems that ended at one look, a row for each count."""
    before = rule.before(look)
    block = look - before
    early, late = ks[ks <= before], ks[(ks > before) & (ks <= look)]
    # x of the part among the samples before: at most r - 1.
    xs = np.arange(min(rule.right - 1, before) + 1)
    held = np.array(
        [_held(xs, int(c), int(v), before, block) for c, v in zip(correct, part, strict=True)]
    )
    found = np.empty((len(correct), len(ks)))
    found[:, : len(early)] = held @ all_of(before - xs, np.full(len(xs), before), early)
    later = all_of(np.maximum(block - part, 0), np.full(len(part), block), late - before)
    found[:, len(early) : len(early) + len(late)] = held[:, :1] * later
    unknown = (part == 0)[:, None] | (ks > rule.n)
    found[:, len(early) + len(late) :] = np.where(unknown, np.nan, 0.0)[:, ks > look]
    return found


def before_the_look(correct: int, before: int, block: int, right: int) -> Floats:
    """w_s of the module: of c right samples, s < r stood among the L' before the last block of M.

    Returns:
        Shape (min(r - 1, L') + 1,).
    """
    s = np.arange(min(right - 1, before) + 1)
    possible = (s <= correct) & (correct - s <= block)
    # Ratios of neighbours: (L'-s)/(s+1) · (c-s)/(M-c+s+1); nothing overflows in logarithms.
    first = int(np.argmax(possible))
    at = s[first : first + int(possible.sum()) - 1].astype(np.longdouble)
    steps = np.log((before - at) * (correct - at)) - np.log((at + 1) * (block - correct + at + 1))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    weights = np.zeros(len(s))
    shares = np.exp(logs - logs.max())
    weights[possible] = (shares / shares.sum()).astype(np.float64)
    return weights


def _held(xs: Ints, correct: int, part: int, before: int, block: int) -> Floats:
    """W_x of `missed`."""
    weights = before_the_look(correct, before, block, len(xs) if before else 1)
    if part == correct:
        return weights
    from scipy.stats import hypergeom

    # Of c right samples s stand before; x of those are of the part.
    chances = hypergeom.pmf(xs[None, :], correct, part, np.minimum(xs, correct)[:, None])
    return np.asarray(weights @ chances, dtype=np.float64)


def pass_at_k_of(counts: Counts, ks: Ints) -> Floats:
    """pass@k of each problem by the estimator that its sampling calls for, shape (problems, ks)."""
    if counts.rule is None:
        return pass_at_k(counts.correct, counts.samples, ks)
    return stopped_pass_at_k(counts.correct, counts.samples, ks, counts.rule)


def lenient_pass_at_k_of(counts: Counts, ks: Ints) -> Floats:
    """The same with undecided samples taken as right."""
    if counts.rule is None:
        return pass_at_k(counts.correct + counts.undecided, counts.samples, ks)
    return stopped_lenient_pass_at_k(
        counts.correct, counts.undecided, counts.samples, ks, counts.rule
    )


def strict_pass_at_k_of(counts: Counts, ks: Ints) -> tuple[Floats, Floats]:
    """Bounds of the same where only answers said outright count; they are one without a rule."""
    if counts.rule is None:
        found = pass_at_k(counts.strict, counts.samples, ks)
        return found, found
    return stopped_part_pass_at_k(counts.strict, counts.correct, counts.samples, ks, counts.rule)


def accuracy_of(counts: Counts) -> Floats:
    """Each problem's accuracy, shape (problems,): c/n, and by a rule the unbiased pass@1."""
    if counts.rule is None:
        return np.asarray(counts.correct / counts.samples)
    return pass_at_k_of(counts, np.array([1]))[:, 0]
