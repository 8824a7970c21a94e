"""The verdict: from an analysis to sentences, in words no stronger than the tests behind them.

One rule decides every word: Holm's adjusted p-values over all claims of the report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vlm_boundary.analysis.findings import Findings, first_looks, reading_name
from vlm_boundary.counted import counted
from vlm_boundary.records.analysis import BenchmarkAnalysis, PairAnalysis
from vlm_boundary.records.record import ArmPair, Difference, Interval, find_pair
from vlm_boundary.records.sections import LuckOfPair


def asked(found: Findings) -> int:
    """How many statements are tested; without a margin, "never crosses" takes the place of two."""
    family = found.analysis.multiplicity
    in_place = "no_crossover" if family.margin is None else None
    return sum(test.claim != in_place for test in family.tests)


@dataclass(frozen=True)
class Claimed:
    """What is claimed of a pair: by one test each, adjusted for all claims of the report."""

    found: Findings
    benchmark: str
    pair: PairAnalysis

    def p(self, claim: str) -> float | None:
        """The adjusted p-value of a claim; None where there is no test of it."""
        wanted = self.benchmark, self.pair.names, claim
        tests = self.found.analysis.multiplicity.tests
        found = (one.p_holm for one in tests if (one.benchmark, one.names, one.claim) == wanted)
        return next(found, None)

    def holds(self, claim: str) -> bool:
        """Whether it is claimed."""
        p = self.p(claim)
        return p is not None and p <= 1 - self.found.confidence

    def sign(self, claim: str) -> int:
        """1 or -1 where a difference above or below zero is claimed, else 0."""
        return self.entry(claim).sign if self.holds(claim) else 0

    def k(self, claim: str) -> int:
        """At which k."""
        return self.pair.n if claim == "last" else 1

    def entry(self, claim: str) -> Difference:
        """The difference that it is about."""
        return self.pair.difference[self.k(claim)]

    def unadjusted(self, claim: str) -> str:
        """What stands beside an interval that would claim it were it the only one."""
        p = self.p(claim)
        said = "" if p is None else f", p = {p:.2g}"
        return f"not once all {asked(self.found)} statements of this page are allowed for{said}"


NOT_RESOLVED = "not resolved"
_WHERE_OPEN = f"but where the arms do, or whether, is {NOT_RESOLVED}"


@dataclass(frozen=True)
class Claim:
    """A part of a sentence.

    Attributes:
        resolved: whether the data settle it; what is only counted is settled.
        goes_on: whether it says more of what the claim before is about.
    """

    text: str
    resolved: bool = True
    goes_on: bool = False


@dataclass(frozen=True)
class Statement:
    """What is said of a pair of arms, or of arms that are not compared.

    Attributes:
        benchmark: on what.
        claims: the parts of the sentence.
        notes: what a reader must know beside it.
        arms: the pair, its base first.
    """

    benchmark: str
    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The claims as one sentence."""
        return "".join(before + claim.text for before, claim in self.parts)

    @property
    def parts(self) -> list[tuple[str, Claim]]:
        """Each claim with what stands before it; the last ends the sentence."""
        *others, last = self.claims
        claims = [*others, replace(last, text=f"{last.text}.")]
        between = ["", *(" and " if claim.goes_on else "; " for claim in claims[1:])]
        return list(zip(between, claims, strict=True))


def statements(found: Findings) -> list[Statement]:
    """A sentence for every pair on every benchmark; where there is none, what each arm does."""
    said = []
    for name, content in found.benchmarks.items():
        pairs = found.pairs(content.pairs)
        said += [_pair(found, name, content, pair) for pair in pairs]
        if not pairs:
            said.append(_alone(found, name, content))
    return said


def _pair(found: Findings, name: str, content: BenchmarkAnalysis, pair: PairAnalysis) -> Statement:
    base, other, n = pair.base, pair.other, pair.n
    if not pair.problems:
        text = f"{base} and {other} have no problem in common, so that nothing is compared"
        return Statement(name, (Claim(text, resolved=False),))
    said = Claimed(found, name, pair)
    first = _Words(
        above=f"{other} is right more often than {base}",
        below=f"{other} is right less often than {base}",
        alike=f"{other} is right as often as {base}",
        open=f"Whether {other} is right more or less often than {base}",
    )
    claims = [_at(said, "first", first)]
    if n > 1:
        last = _Words(
            above="solves more problems",
            below="solves fewer problems",
            alike="solves as many problems",
            open="whether it solves more or fewer problems",
        )
        claims.append(replace(_at(said, "last", last), goes_on=True))
        claims.append(_crossover(said))
    else:
        text = "with one sample a problem, which problems either can solve was not asked"
        claims.append(Claim(text, resolved=False))
    claims += _above_floors(content, pair)
    return Statement(name, tuple(claims), tuple(_notes(found, content, pair)), pair.names)


@dataclass(frozen=True)
class _Words:
    """What is said of a difference: by its sign, that it is within the margin, that it is open."""

    above: str
    below: str
    alike: str
    open: str


def _at(said: Claimed, claim: str, words: _Words) -> Claim:
    """What a difference at k says: its word only where its test claims it."""
    found, entry, k = said.found, said.entry(claim), said.k(claim)
    if entry.estimate is None:
        text = f"{words.open} is {NOT_RESOLVED} (no problem has {counted(k, 'sample')} of both)"
        return Claim(text, resolved=False)
    sign, digits = said.sign(claim), _digits(entry)
    where = f"points at k = {k}, {_interval(found, entry, digits)}"
    numbers = f"{_points(entry.estimate, digits)} {where}"
    stated = said.pair.equivalence
    margin = f"{100 * stated.margin:g}" if stated else ""
    alike = stated is not None and said.holds(f"within_{claim}")
    if sign:
        least = f", by less than {margin} points" if alike else ""
        return Claim(f"{words.above if sign > 0 else words.below}{least} ({numbers})")
    if stated and alike:
        where = f"points at k = {k}, {stated.level:.0%} interval {_range(stated.at[k], digits)}"
        numbers = f"{_points(entry.estimate, digits)} {where}"
        return Claim(f"{words.alike} to within {margin} points ({numbers})")
    if entry.sign:
        numbers += f"; {said.unadjusted(claim)}"
    elif entry.few and entry.low is not None:
        numbers += "; so few problems, or so few that differ, that it allows for others not drawn"
    neither = f", nor whether it is within {margin} points" if stated else ""
    return Claim(f"{words.open} is {NOT_RESOLVED}{neither} ({numbers})", resolved=False)


def _interval(found: Findings, entry: Difference, digits: int) -> str:
    if entry.low is None or entry.high is None:
        return f"no {found.level} interval from {counted(entry.problems, 'problem')}"
    return f"{found.level} interval {_range(entry, digits)}"


def _range(entry: Interval, digits: int) -> str:
    if entry.low is None or entry.high is None:
        return "unknown"
    return f"{_points(entry.low, digits)} to {_points(entry.high, digits)}"


def _digits(entry: Interval) -> int:
    """Decimals of points with which no number of the entry but zero is shown as zero."""
    values = [100 * (value or 0.0) for value in (entry.estimate, entry.low, entry.high)]
    return next((d for d in (1, 2) if all(not v or round(v, d) for v in values)), 3)


def _points(share: float, digits: int) -> str:
    shown = f"{100 * share:+.{digits}f}"
    return shown.replace("-", "−") if float(shown) else shown[1:]


def _crossover(said: Claimed) -> Claim:
    """Where the arms cross: claimed where the one is above at k = 1 and below at k = n."""
    turn = said.pair.crossover
    k, low, high, n = turn.estimate, turn.low, turn.high, turn.up_to
    if turn.status == "resolved":
        where = f"({said.found.level} interval {low} to {high}"
        if n == said.pair.n and (said.sign("first"), said.sign("last")) == (1, -1):
            return Claim(f"they cross at k = {k} {where})")
        text = f"their estimates cross at k = {k}, {_WHERE_OPEN} {where}; that they do"
        return Claim(f"{text} at all takes a difference claimed at both ends)", resolved=False)
    if turn.status == "not_resolved":
        where = f"between {low} and {high}" if low and high else f"any k up to {n}"
        if not low or not high:
            where = f"{low} or more" if low else f"{high} or less" if high else where
        text = f"their estimates cross at k = {k}, {_WHERE_OPEN} ({where})"
        return Claim(text, resolved=False)
    if said.holds("no_crossover"):
        return Claim(f"they do not cross up to k = {n}")
    why = said.unadjusted("no_crossover") if turn.excluded else "their estimates do not"
    text = f"whether they cross up to k = {n} is {NOT_RESOLVED} ({why})"
    return Claim(text, resolved=False)


def _above_floors(content: BenchmarkAnalysis, compared: PairAnalysis) -> list[Claim]:
    luck, pair = content.luck, _luck(content, compared)
    if luck is None or pair is None:
        return []
    if not pair.tested:
        text = (
            "whether luck explains what is solved cannot be tested: no problem has the "
            f"{luck.fewest_lists} others of its answer type that a test needs"
        )
        return [Claim(text, resolved=False)]
    both, first, second, _ = pair.counts
    among = "" if pair.tested == compared.problems else f", of {pair.tested} that can be tested"
    return [
        Claim(
            f"problems solved more often than luck explains: {pair.base} {both + first}, "
            f"{pair.other} {both + second} ({both} both, {first} only {pair.base}, {second} only "
            f"{pair.other}){among}{_first_look(content, pair)}"
        )
    ]


def _first_look(content: BenchmarkAnalysis, pair: ArmPair) -> str:
    """How many samples the test against luck looks at, where that is not all."""
    first = first_looks(one for arm, one in content.arms.items() if arm in pair.names)
    return f" (in the first {first})" if first else ""


def _luck(content: BenchmarkAnalysis, pair: PairAnalysis) -> LuckOfPair | None:
    return find_pair(content.luck.pairs, pair.names) if content.luck else None


def _notes(found: Findings, content: BenchmarkAnalysis, pair: PairAnalysis) -> list[str]:
    """What the sentence leaves out: other tests, and how many problems were reasoned to."""
    notes = []
    up_to = pair.crossover.up_to
    if up_to < pair.n:
        notes.append(
            f"Not all problems have more than {counted(up_to, 'sample')} of both: whether "
            f"they cross is asked "
            f"up to k = {up_to}, and what is said of k = {pair.n} is of "
            f"{pair.difference[pair.n].problems} of {counted(pair.problems, 'problem')}."
        )
    notes.append(
        f"A difference is stated only where it holds after Holm's correction for all "
        f"{counted(asked(found), 'statement')} that this page tests ({found.level} together); "
        "intervals are not corrected."
    )
    luck = _luck(content, pair)
    if luck and luck.tested:
        p = luck.mcnemar_p_value
        said = "no problem is solved by one alone" if p is None else f"McNemar, p = {p:.2g}"
        notes.append(
            f"The counts above luck are described, not among the tested statements ({said})."
        )
    notes += _by_luck(content, pair)
    return notes + _reasoned(content, *pair.names) + _saved(content, *pair.names)


def _by_luck(content: BenchmarkAnalysis, pair: PairAnalysis) -> list[str]:
    """How many problems each arm solves, and how many it would by luck."""
    known = content.luck.arms if content.luck else {}
    parts = []
    for arm in pair.names:
        if arm in known and (one := known[arm].by_luck):
            parts.append(
                f"{arm} {one.solved} of {one.problems}, expected by luck {one.expected:.1f} "
                f"({one.low} to {one.high})"
            )
    said = (
        f"Solved at least once{_first_look(content, pair)}: {'; '.join(parts)}. By luck is what "
        f"the arm's answers to other problems would solve."
    )
    return [said] if parts else []


def _saved(content: BenchmarkAnalysis, *arms: str) -> list[str]:
    """What ending problems early saved of the samples."""
    parts = [
        f"{arm} {one.stopping.mean_n:.0f} of at most {one.n} samples per problem on average "
        f"({one.stopping.saved:.0%} saved)"
        for arm, one in content.arms.items()
        if arm in arms
        and one.stopping
        and one.stopping.mean_n is not None
        and one.stopping.saved is not None
    ]
    said = "Problems with enough right samples were sampled no further, which does not bias pass@k"
    return [f"{said}: {', '.join(parts)}."] if parts else []


def _reasoned(content: BenchmarkAnalysis, base: str, other: str) -> list[str]:
    """Of the problems that each solves, those with a valid chain by the surest reading there is."""
    arms = content.cot.arms if content.cot else {}
    shared = sorted(set(arms.get(base, {})) & set(arms.get(other, {})), key=_sureness)
    if not shared:
        return []
    reading = shared[0]
    parts = []
    for arm in (base, other):
        one = arms[arm][reading]
        least = "at least " if one.judged < one.correct or one.unknown else ""
        parts.append(f"{arm} {least}{one.solved_with_a_valid_chain} of the {one.solved} it solves")
    said = f"{reading_name(reading)}, all samples"
    return [f"Solved with valid reasoning ({said}): {', '.join(parts)}."]


def _sureness(reading: str) -> tuple[int, str]:
    if reading == "exact":
        return 0, reading
    if reading.endswith(".majority"):
        return 1, reading
    return (2 if reading == "structural" else 3), reading


def _alone(found: Findings, name: str, content: BenchmarkAnalysis) -> Statement:
    arms = content.arms
    claims = []
    for arm in found.arms(arms):
        one = arms[arm]
        rate, solved = one.pass_at_k[1], one.pass_at_k[one.n]
        if rate.estimate is None:
            continue
        text = f"{arm} is right in {100 * rate.estimate:.1f}% of its samples"
        if one.n > 1 and solved.estimate is not None:
            text += f" and solves {100 * solved.estimate:.1f}% of problems in {one.n}"
        claims.append(Claim(text))
    bases = [arm for arm in found.arms(arms) if found.roles[arm] == "base"]
    reason = "there is no other arm to compare it with" if bases else "no arm has the role base"
    claims.append(Claim(f"{reason}, so that nothing is compared", resolved=False))
    return Statement(name, tuple(claims))
