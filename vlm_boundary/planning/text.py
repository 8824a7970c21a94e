"""A plan as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vlm_boundary.config import FULL
from vlm_boundary.counted import counted
from vlm_boundary.engines.bound import Bound
from vlm_boundary.planning.estimate import ArmPlan, BenchmarkPlan, Plan


def describe(plan: Plan) -> str:
    """The plan in words and tables."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    yield f"Run directory {plan.run}"
    for benchmark in plan.benchmarks:
        yield ""
        yield from _benchmark(benchmark)
        yield from _prompts([arm for arm in plan.arms if arm.benchmark == benchmark.name])
    yield ""
    yield from _table(
        ("arm", "benchmark", "n", "requests", "stored", "to draw"),
        [
            (a.arm, _what(a), f"{a.n:,}", f"{a.n * a.problems:,}", f"{a.stored:,}",
             f"{a.missing:,}")
            for a in plan.arms
        ],
    )  # fmt: skip
    yield ""
    yield from _controls(plan)
    yield from dict.fromkeys(_responses(plan))  # each once, in order
    yield from _disk(plan)
    yield from _times(plan)


def _benchmark(benchmark: BenchmarkPlan) -> Iterator[str]:
    yield f"{benchmark.name}:"
    for step in benchmark.filters:
        yield f"  {step.step}: {step.before:,} → {counted(step.after, 'problem')}"
    unusable = f", {benchmark.unusable:,} of them unusable" if benchmark.unusable else ""
    yield f"  {counted(benchmark.problems, 'problem')}{unusable}"


def _prompts(arms: list[ArmPlan]) -> Iterator[str]:
    """One line for all arms whose prompts are the same."""
    groups: dict[tuple[str, str | int], list[ArmPlan]] = {}
    for arm in arms:
        same = arm.prompts if isinstance(arm.prompts, str) else id(arm.prompts)
        groups.setdefault((arm.condition, same), []).append(arm)
    for (condition, _), group in groups.items():
        prompts = group[0].prompts
        names = ", ".join(arm.arm for arm in group)
        names += "" if condition == FULL else f" under {condition}"
        if isinstance(prompts, str):
            yield f"  prompts of {names}: {prompts}"
            continue
        measured = len(prompts.tokens)
        source = "" if measured == group[0].problems else f" (from {counted(measured, 'problem')})"
        yield (
            f"  prompts of {names}: {prompts.mean:,.0f} tokens on average, "
            f"{prompts.mean_pictures:,.0f} of them for pictures; the longest has "
            f"{prompts.longest:,}{source}"
        )
        if prompts.mean_pictures > 0:
            yield f"  pictures of {names}: {prompts.sizes.said}"
        for arm in group:
            if arm.too_long:
                yield (
                    f"  {arm.arm}: {arm.too_long:,} of {measured:,} prompts leave no room for "
                    f"max_tokens within max_model_len and would not be sampled"
                )


def _what(arm: ArmPlan) -> str:
    return arm.benchmark if arm.condition == FULL else f"{arm.benchmark}/{arm.condition}"


def _controls(plan: Plan) -> Iterator[str]:
    """What the controls cost beside the full prompt, in requests and in tokens."""
    full = [arm for arm in plan.arms if arm.condition == FULL]
    controls = [arm for arm in plan.arms if arm.condition != FULL]
    requests, beside = (sum(arm.n * arm.problems for arm in some) for some in (controls, full))
    if not requests or not beside:
        return
    told = f"Controls: {requests:,} requests beside {beside:,} of the full prompt"
    told += f" ({requests / beside:.0%} more)"
    lengths = [arm.response_tokens for arm in (*controls, *full)]
    if all(length is not None for length in lengths):
        theirs, ours = (
            sum(arm.n * arm.problems * (arm.response_tokens or 0.0) for arm in some)
            for some in (controls, full)
        )
        told += f", {theirs:,.0f} tokens of responses beside {ours:,.0f} ({theirs / ours:.0%} more)"
    yield told


def _responses(plan: Plan) -> Iterator[str]:
    for arm in plan.arms:
        if arm.response_tokens is not None:
            name = arm.arm if arm.condition == FULL else f"{arm.arm} under {arm.condition}"
            yield f"Responses of {name}: {arm.response_tokens:,.0f} tokens on average"


def _disk(plan: Plan) -> Iterator[str]:
    tables = sum(arm.bytes for arm in plan.arms)
    pictures = sum(benchmark.picture_bytes for benchmark in plan.benchmarks)
    guess = any(arm.response_tokens is None and arm.missing for arm in plan.arms)
    reason = " (if every response is as long as max_tokens)" if guess else ""
    yield (
        f"Disk: {_bytes(tables)} of samples and verdicts before compression{reason}"
        f", {_bytes(pictures)} of pictures"
    )


def _times(plan: Plan) -> Iterator[str]:
    names = list(plan.arms[0].bounds)
    if not names:
        yield "Time: name a GPU (--gpu H100) to see the least that it takes"
        return
    rows: list[tuple[str, ...]] = []
    reasons: dict[str, None] = {}  # each once, in order
    for gpu in names:
        total = 0.0
        for name in dict.fromkeys(arm.arm for arm in plan.arms):
            bounds = [arm.bounds[gpu] for arm in plan.arms if arm.arm == name and arm.missing]
            refused = [bound for bound in bounds if isinstance(bound, str)]
            if refused:
                reasons[f"{name} on {gpu}: {refused[0]}"] = None
                total = float("nan")
            known = [bound for bound in bounds if isinstance(bound, Bound)]
            total += sum(bound.seconds for bound in known)
            if known and not refused:
                rows.append((gpu, name, *_bound(known)))
        if total == total:
            rows.append((gpu, "all", "", "", "", "", duration(total)))
    if rows:
        yield ""
        yield (
            f"Least time on {plan.gpus} of each GPU, at the rates of its data sheet, of which "
            f"engines reach perhaps half:"
        )
        header = (
            "GPU", "arm", "sequences", "prefill", "decode: memory", "decode: compute", "at least",
        )  # fmt: skip
        yield from _table(header, rows)
    for reason in reasons:
        yield f"No bound for {reason}"


def _bound(bounds: list[Bound]) -> tuple[str, ...]:
    return (
        f"{max(bound.sequences for bound in bounds):,.0f}",
        duration(sum(bound.prefill for bound in bounds)),
        duration(sum(bound.decode_memory for bound in bounds)),
        duration(sum(bound.decode_compute for bound in bounds)),
        duration(sum(bound.seconds for bound in bounds)),
    )


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Columns two spaces apart: the first two from the left, numbers from the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    for row in (header, *rows):
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.2g} s"


def _bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
