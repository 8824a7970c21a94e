"""What an import says when it is done: what it recognised, what is missing, how to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vlm_boundary.imports.gathered import ArmFacts, Gathered
from vlm_boundary.imports.records import shown
from vlm_boundary.imports.writer import DISAGREEMENTS, EXPERIMENT, UNUSABLE, Beside, Imported

_LISTED = 5


def told_lines(done: Imported) -> Iterator[str]:
    """The lines that a terminal is told."""
    gathered = done.gathered
    files = Counter(source.form.title for source in gathered.sources.files)
    for title, count in files.items():
        yield f"{count:,} {'file' if count == 1 else 'files'} of {title}."
    if others := gathered.sources.passed_over:
        yield f"{len(others):,} passed over, no log: {_listed(list(map(str, others)))}"
    rows = f"{gathered.rows:,} rows: {gathered.used:,} with responses"
    if gathered.repeats:
        rows += f", {gathered.repeats:,} that say again what another row says"
    yield f"{rows}, {gathered.rows_lost:,} unusable; {gathered.responses:,} responses."
    if gathered.lost:
        yield f"{len(gathered.lost):,} unusable, in {done.folder / UNUSABLE}:"
        for reason, count in Counter(why for _, why in gathered.lost).most_common(_LISTED):
            yield f"  {count:,}: {reason}"
    for arm, facts in gathered.arms.items():
        yield _arm(arm, facts, done.roles[arm])
    yield from _missing(done)
    if done.opinions is not None:
        yield from _opinions(done.opinions, done)
    yield f"Go on with: vlm-boundary run {done.folder / EXPERIMENT}"


def _arm(arm: str, facts: ArmFacts, role: str) -> str:
    held = [count for counts in facts.counts.values() for count in counts.values()]
    told = f"{arm} ({role}): {sum(held):,} responses to {len(held):,} problems, n = {facts.most:,}"
    fewer = sum(count < facts.most for count in held)
    return f"{told}; {fewer:,} have fewer" if fewer else told


def _missing(done: Imported) -> Iterator[str]:
    gathered = done.gathered
    if "base" not in done.roles.values():
        yield "No arm is the base: --base NAME names one, or name its log too."
    problems = [one for known in gathered.problems.values() for one in known.values()]
    if gathered.data is None:
        without = sum(not asked.golds for asked, _ in problems)
        if without:
            yield (
                f"No gold answer: {without:,} of {len(problems):,} problems, which cannot be "
                f"graded; --problems FILE gives them."
            )
        pictures = sum(bool(asked.pictures) for asked, _ in problems)
        if pictures < len(problems):
            yield (
                f"No picture: {len(problems) - pictures:,} of {len(problems):,} problems; "
                f"--problems FILE gives them."
            )
        lost = Counter(why for asked, _ in problems for why in asked.lost)
        for why, count in lost.most_common(_LISTED):
            yield f"  {count:,} pictures: {why}"
        yield from _twice(gathered)
    if done.unasked:
        yield f"{done.unasked:,} problems of the data file have no response, and are left out."
    unknown = [arm for arm, facts in gathered.arms.items() if facts.reasons[None]]
    if unknown:
        yield (
            f"No finish_reason: of {_listed(unknown)} it is not known which responses were cut "
            f"off; a right answer in one that was counts."
        )
    mixed = [
        arm for arm, facts in gathered.arms.items() if facts.opened[True] and len(facts.opened) > 1
    ]
    if mixed:
        yield f"Only some prompts of {_listed(mixed)} end inside a thought; see thinking_open."


def _twice(gathered: Gathered) -> Iterator[str]:
    """Problems that are known by their text alone and have more responses than most."""
    for arm, facts in gathered.arms.items():
        for benchmark, counts in facts.counts.items():
            known = gathered.problems[benchmark]
            held = Counter(n for key, n in counts.items() if known[key][0].key is None)
            if len(held) > 1:
                usual, _ = held.most_common(1)[0]
                more = sum(count for n, count in held.items() if n > usual)
                if more:
                    yield (
                        f"{arm}: {more:,} problems have more than the usual {usual:,} responses; "
                        f"where two share question and gold and differ in a picture, they are one "
                        f"here: --problems FILE tells them apart."
                    )


def _opinions(found: Beside, done: Imported) -> Iterator[str]:
    yield (
        f"The tool's own verdicts beside this verifier's ({found.responses:,} responses, of which "
        f"{found.undecided:,} it leaves undecided); where they differ: "
        f"{done.folder / DISAGREEMENTS}"
    )
    for name, compared in found.compared.items():
        yield f"  {shown(name)}: differs on {found.differ[name]:,} of {compared:,}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"
