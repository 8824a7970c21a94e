"""Which chains of thought a judge has yet to read, and the loop that has it read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, cast

import pyarrow.compute as pc

from vlm_boundary.benchmarks import pictures_shown
from vlm_boundary.benchmarks.images import ANY_SIZE, ImagesConfig
from vlm_boundary.config import MAX_SAMPLES, JudgeConfig
from vlm_boundary.engines.base import Completion, Engine, Failure, Request
from vlm_boundary.iterate import batched
from vlm_boundary.reasoning.judge.pictures import with_edited_pictures
from vlm_boundary.reasoning.judge.probe import (
    CHAIN_EDITS,
    ORIGINAL,
    PICTURE_EDITS,
    ChainEdit,
    spoil,
)
from vlm_boundary.reasoning.judge.prompt import judge_messages, judge_prompt
from vlm_boundary.reasoning.judge.verdict import vote
from vlm_boundary.reasoning.selection import CorrectSamples, correct_samples, lottery
from vlm_boundary.records.manifest import Manifest, RunJudge
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.sample import Judgement
from vlm_boundary.sampling.plan import Span, Task
from vlm_boundary.sampling.settled import record_failures, versions
from vlm_boundary.store import (
    Failed,
    Partition,
    RunDirectory,
    SampleWriter,
    sample_indices,
    short_hash,
)

# Problems whose texts are read at once.
_READ = 16

Variant: TypeAlias = str
"""`original`, or one of the probe's edits."""
Wanted: TypeAlias = dict[str, tuple[int, ...]]
"""Sample indices by problem."""


@dataclass(frozen=True)
class _ChainToJudge:
    """A chain of thought as it is read, with its problem as the judge sees that."""

    problem: Problem
    index: int
    text: str
    text_hash: str
    answer: tuple[int, int] | None
    """Where the final answer stands in the text as it was written."""
    edit: str | None = None


def stored_judge(run: RunDirectory, name: str) -> JudgeConfig:
    """The settings of a judge as the manifest keeps them."""
    return JudgeConfig.model_validate(run.read_manifest().judges[name].config)


def variants(judge: JudgeConfig) -> list[Variant]:
    """What a judge reads: the chains as they are, and, where it is probed, spoilt."""
    if judge.probe is None:
        return [ORIGINAL]
    return [ORIGINAL, *CHAIN_EDITS, *(PICTURE_EDITS if judge.pictures else ())]


def selected(
    run: RunDirectory, judge: JudgeConfig, partition: Partition, n: int, seed: int
) -> list[CorrectSamples]:
    """The right answers that are judged: of each problem all, or a uniform subset."""
    keep = judge.per_problem
    return [
        replace(found, indices=found.indices[:keep], text_hashes=found.text_hashes[:keep])
        for found in correct_samples(run, partition, n, seed)
    ]


def plan_judging(
    run: RunDirectory,
    judge: JudgeConfig,
    variant: Variant,
    partition: Partition,
    n: int,
    seed: int,
    problems: Sequence[Problem],
) -> Task:
    """What a judge has yet to read of these problems' first n samples, in one variant."""
    known = {problem.problem_id: problem for problem in problems}
    wanted: Wanted = {
        found.problem_id: found.indices
        for found in selected(run, judge, partition, n, seed)
        if found.problem_id in known
    }
    if variant != ORIGINAL:
        wanted = _probed(run, judge, wanted, partition, seed, problems)
    table = run.judgements(judge.name, variant)
    done = {key: set(found.tolist()) for key, found in sample_indices(table, partition).items()}
    spans = [
        Span(known[problem_id], range(index, index + 1))
        for problem_id, indices in wanted.items()
        for index in indices
        if index not in done.get(problem_id, ())
    ]
    return Task(partition, spans)


def judged_under(manifest: Manifest, judge_name: str) -> str:
    """A hash of what decides whether chains can be put to a judge, except the chains themselves."""
    judge = manifest.judges.get(judge_name, RunJudge())
    said = [judge.identity.as_json(), judge.config, *versions(judge.config.get("engine"))]
    return short_hash(json.dumps(said, sort_keys=True))


def judge_chains(
    run: RunDirectory,
    judge: JudgeConfig,
    images: ImagesConfig,
    task: Task,
    variant: Variant,
    problems: Sequence[Problem],
    engine: Engine,
    seed: int,
    progress: Callable[[int], None],
    alive: Callable[[], None],
    *,
    thinking_open: bool | None = None,
) -> None:
    """Have chains read, storing the votes on each when all of them are there.

    Args:
        images: where pictures stand in the benchmark's questions, and how large they are shown.
        problems: the benchmark's, unchanged.
        seed: the run's; every vote's seed follows from it and from what is read.
        progress: called with the number of tokens that the votes on a chain took.
        alive: called whenever the engine has done something.
        thinking_open: the judge's prompts end inside a thought.
    """
    chains: dict[str, _ChainToJudge] = {}
    given: dict[str, dict[int, Completion]] = {}
    writer = SampleWriter(run.judgements(judge.name, variant), task.partition)
    failures: list[tuple[Failed, Failure]] = []

    def beat() -> None:
        writer.flush_if_due()  # also while nothing finishes
        alive()

    def requests() -> Iterator[Request]:
        for chain in _as_read(run, task, variant, problems, seed):
            first_seed = _seed(seed, judge.name, task.partition, variant, chain)
            request = _request(run, judge, images, chain, first_seed)
            chains[request.request_id], given[request.request_id] = chain, {}
            yield request

    try:
        for result in engine.generate(requests(), judge.sampling, beat):
            chain = chains[result.request_id]
            if isinstance(result, Failure):
                failures.append(((chain.problem.problem_id, chain.index), result))
                continue
            votes = given[result.request_id]
            votes[result.index] = result
            if len(votes) == judge.sampling.n:
                del given[result.request_id], chains[result.request_id]
                tokens = sum(len(one.token_ids) for one in votes.values())
                judgement = _judgement(chain, [votes[i] for i in sorted(votes)], thinking_open)
                writer.add(judgement, partial(progress, tokens))
    finally:
        writer.flush()
        if failures:
            under = judged_under(run.read_manifest(), judge.name)
            kept = run.judge_failures(judge.name, variant)
            record_failures(run, task.partition, kept, failures, under)


def _probed(
    run: RunDirectory,
    judge: JudgeConfig,
    wanted: Wanted,
    partition: Partition,
    seed: int,
    problems: Sequence[Problem],
) -> Wanted:
    """A uniform draw of the judged chains that every edit can be made to, the same for each."""
    assert judge.probe is not None
    if judge.pictures:
        for edit in PICTURE_EDITS:
            shown = with_edited_pictures(run, problems, edit, seed)
            wanted = {key: indices for key, indices in wanted.items() if key in shown}
    pool = [(problem_id, index) for problem_id, found in wanted.items() for index in found]
    key = f"{seed}\0probe\0{partition.folder}"
    order = lottery(key, [f"{problem_id}\0{index}" for problem_id, index in pool])
    spoilable = {
        (chain.problem.problem_id, chain.index)
        for chain in _written(run, partition, wanted, problems)
        if all(spoil(chain.text, chain.answer, edit) for edit in CHAIN_EDITS)
    }
    drawn: Wanted = {}
    chosen = [pool[place] for place in order if pool[place] in spoilable]
    for problem_id, index in chosen[: judge.probe.chains]:
        drawn[problem_id] = (*drawn.get(problem_id, ()), index)
    return drawn


def _written(
    run: RunDirectory, partition: Partition, wanted: Wanted, problems: Sequence[Problem]
) -> Iterator[_ChainToJudge]:
    """Chains as they were written."""
    shown = {problem.problem_id: problem for problem in problems}
    for group in batched(sorted(wanted), _READ):
        of_group = pc.field("problem_id").isin(group)
        texts = _by_key(run.samples.read(partition, ["text"], of_group).to_pylist())
        columns = ["problem_id", "sample_index", "span", "text_hash"]
        verdicts = _by_key(run.verdicts.read(partition, columns, of_group).to_pylist())
        for problem_id in group:
            for index in wanted[problem_id]:
                verdict = verdicts[problem_id, index]
                span = verdict["span"]
                yield _ChainToJudge(
                    shown[problem_id],
                    index,
                    texts[problem_id, index]["text"],
                    verdict["text_hash"],
                    (span[0], span[1]) if span else None,
                )


def _as_read(
    run: RunDirectory, task: Task, variant: Variant, problems: Sequence[Problem], seed: int
) -> Iterator[_ChainToJudge]:
    """Chains as the variant has them."""
    wanted: Wanted = {}
    for span in task.spans:
        problem_id = span.problem.problem_id
        wanted[problem_id] = (*wanted.get(problem_id, ()), *span.indices)
    chains = _written(run, task.partition, wanted, problems)
    if variant == ORIGINAL:
        yield from chains
    elif variant in PICTURE_EDITS:
        shown = with_edited_pictures(run, problems, variant, seed)
        for chain in chains:
            yield replace(chain, problem=shown[chain.problem.problem_id], edit=variant)
    else:
        for chain in chains:
            spoilt = spoil(chain.text, chain.answer, cast(ChainEdit, variant))
            if spoilt is not None:  # the plan has only those that can be
                yield replace(chain, text=spoilt.text, edit=spoilt.edit)


def _by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["problem_id"], row["sample_index"]): row for row in rows}


def _request(
    run: RunDirectory,
    judge: JudgeConfig,
    images: ImagesConfig,
    chain: _ChainToJudge,
    seed: int,
) -> Request:
    problem = chain.problem
    turns = judge_messages(
        problem, chain.text, judge_prompt(judge.prompt), images, pictures=judge.pictures
    )
    return Request(
        request_id=f"{problem.problem_id}:{chain.index}",
        messages=turns,
        pictures=tuple(run.images / name for name in pictures_shown(turns)),
        indices=range(judge.sampling.n),
        seed=seed,
        budget=images.budget if judge.pictures else ANY_SIZE,
        chat_template_args=judge.chat_template_args,
        benchmark=problem.benchmark,
        problem_id=problem.problem_id,
    )


def _seed(
    run_seed: int, judge: str, partition: Partition, variant: Variant, chain: _ChainToJudge
) -> int:
    """The seed of a chain's first vote; like a sample's, it leaves room for all of them."""
    what = (partition.folder, variant, chain.problem.problem_id, str(chain.index))
    digest = hashlib.blake2b("\0".join((str(run_seed), judge, *what)).encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big") % ((1 << 32) - MAX_SAMPLES)


def _judgement(
    chain: _ChainToJudge, votes: list[Completion], thinking_open: bool | None
) -> Judgement:
    return Judgement(
        problem_id=chain.problem.problem_id,
        sample_index=chain.index,
        votes=[vote(one.text, one.finish_reason, thinking_open=thinking_open) for one in votes],
        text_hash=chain.text_hash,
        edit=chain.edit,
    )
