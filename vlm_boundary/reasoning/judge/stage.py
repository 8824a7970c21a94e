"""The judge's stage: the right answers that it has not read yet, and its layer from its votes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import (
    ArmConfig,
    EngineConfig,
    ExperimentConfig,
    JudgeConfig,
    PrmConfig,
)
from vlm_boundary.engines.rendered import rendered
from vlm_boundary.errors import UserError
from vlm_boundary.fleet import Crew, make_jobs
from vlm_boundary.fleet.places import engine_places
from vlm_boundary.reasoning.judge.judging import Variant, judged_under, plan_judging, variants
from vlm_boundary.reasoning.judge.probe import ORIGINAL
from vlm_boundary.reasoning.judge.prompt import (
    StepsPrompt,
    judge_messages,
    judge_prompt,
    judge_prompt_hash,
)
from vlm_boundary.reasoning.judge.verdict import bands
from vlm_boundary.reasoning.judge.work import Judge
from vlm_boundary.reasoning.selection import nothing_to_read
from vlm_boundary.records.manifest import Identity, Manifest, RunJudge
from vlm_boundary.records.problem import Problem
from vlm_boundary.records.validity import Validity
from vlm_boundary.sampling.identity import ArmSource, resolve_source
from vlm_boundary.sampling.plan import ALL, Task
from vlm_boundary.sampling.settled import without_refused
from vlm_boundary.store import (
    Deriver,
    Partition,
    PartTable,
    RunDirectory,
    Wanted,
    compact,
    derive,
    short_hash,
)
from vlm_boundary.store.fingerprint import first_difference


@dataclass
class Judged:
    """What a run of the stage did."""

    chains: int = 0
    """Chains read now, spoilt ones included."""
    failed: int = 0
    """Chains that could not be read, in this run of the stage or before."""
    votes: Counter[str] = field(default_factory=Counter)
    """Votes on unspoilt chains, of all runs of the stage: valid, invalid, abstained."""
    lacking: dict[str, str] = field(default_factory=dict)
    """The arms of which there is nothing to read, with the reason."""


def judge(run: RunDirectory, experiment: ExperimentConfig) -> Judged:
    """Have the experiment's judge read what it has not read yet; stores its layer of validity.

    Raises:
        UserError: there is no judge, nothing is verified, the judge is a model under test, or it is
            not the one that read the rest under its name.
        EngineDied: the engine failed; running the stage again goes on from there.
    """
    config = experiment.judge
    if config is None:
        raise UserError(
            "the experiment has no judge; name one under judge: {name: NAME, model: MODEL}"
        )
    if not run.verdicts.partitions():
        raise UserError(f"{run.path}: no sample has a verdict yet; run 'vlm-boundary verify' first")
    with run.locks.writing(ALL):
        with run.locks.turn():
            _prepare(run, experiment, config)
        tasks = _tasks(run, experiment, config)
        missing = _chains(tasks)
        under = judged_under(run.read_manifest(), config.name)
        readable = [
            (variant, without_refused(run, task, failures.settled(task.partition), under))
            for variant, task in tasks
            for failures in [run.judge_failures(config.name, variant)]
        ]
        if _chains(readable):
            places = engine_places(experiment, [experiment.judge_engine])
            units = [
                Judge(task.partition, task.spans_by_problem(), config.name, variant)
                for variant, task in readable
                if task.samples
            ]
            with Crew(run, places, experiment.timeouts) as crew:
                crew.work_off(make_jobs([units], len(places)))
        done = Judged(
            chains=missing - _chains(_tasks(run, experiment, config)),
            lacking=nothing_to_read(run, experiment),
        )
        _tidy(run, config)
        # Every row: they follow from votes, in which no row says what it follows from.
        derive(run, _JudgeLayer(config, done), force=True)
        wanted = [Partition(arm, b) for arm in experiment.arms for b in experiment.benchmarks]
        for variant in variants(config):
            failures = run.judge_failures(config.name, variant)
            done.failed += sum(len(failures.read(partition)) for partition in wanted)
    return done


def layer_name(judge_name: str) -> str:
    """The validity layer of a judge."""
    return f"judge-{judge_name}"


def _prepare(run: RunDirectory, experiment: ExperimentConfig, config: JudgeConfig) -> None:
    """Find the judge, and refuse what would mix two or let a model judge itself."""
    engine = experiment.judge_engine
    if isinstance(judge_prompt(config.prompt), StepsPrompt) != isinstance(engine, PrmConfig):
        raise UserError(
            f"judge.prompt {config.prompt!r} does not go with engine kind {engine.kind}: a process "
            f"reward model (kind prm) takes steps-v1, and others take reasoning-v1"
        )
    resolved = config.model_copy(update={"engine": engine})
    fields = config.model_dump(
        include=set(ArmConfig.model_fields) - {"engine", "sampling", "prompt"}
    )
    source = resolve_source(ArmConfig.model_validate(fields | {"role": "instruct"}), engine)
    manifest = run.read_manifest()
    if not config.allow_model_under_test:
        _refuse_model_under_test(manifest, config, source)
    further: dict[str, Any] = {"trust_remote_code": True} if config.trust_remote_code else {}
    if config.chat_template_args:
        further["chat_template_args"] = config.chat_template_args
    identity = Identity(
        **further,
        weights=source.weights,
        engine=engine.identity(),
        chat_template=source.checkpoint.chat_template_hash if source.checkpoint else None,
        prompt=judge_prompt_hash(config.prompt),
        pictures=config.pictures,
        sampling=config.sampling.model_dump(mode="json"),
    )
    before = manifest.judges.get(config.name)
    if before and (difference := first_difference(before.identity.as_json(), identity.as_json())):
        raise UserError(
            f"{run.path}: judge {config.name!r} already read chains with "
            f"{difference.drawn_with}; give this one another judge.name, or restore it"
        )
    known = before is not None and "thinking_open" in before.model_fields_set
    judge = RunJudge(
        config=json.loads(resolved.model_dump_json()),
        identity=identity,
        checkpoint=source.checkpoint,
        note=source.note,
        thinking_open=before.thinking_open
        if before and known
        else _thinking_open(run, manifest, config, engine, source),
    )
    judges = manifest.judges | {config.name: judge}
    run.write_manifest(manifest.model_copy(update={"judges": judges}))


def _thinking_open(
    run: RunDirectory,
    manifest: Manifest,
    config: JudgeConfig,
    engine: EngineConfig | PrmConfig,
    source: ArmSource,
) -> bool | None:
    """Whether the judge's verdicts begin inside a thought; None where that is not known."""

    def prompts() -> Iterator[list[dict[str, Any]]]:
        words = judge_prompt(config.prompt)
        for name, known in manifest.benchmarks.items():
            images = BenchmarkConfig.model_validate(known.config).images
            for problem in run.read_problems(name):
                if problem.error is None:
                    yield judge_messages(problem, "…", words, images, pictures=config.pictures)

    told = config.chat_template_args
    return rendered(engine, source.checkpoint, told, {}, prompts()).thinking_open


def _refuse_model_under_test(manifest: Manifest, config: JudgeConfig, source: ArmSource) -> None:
    """A model finds its own reasoning better than it is."""
    own = set(source.weights.split("+lora:"))
    for name, arm in manifest.arms.items():
        weights = set(arm.identity.weights.split("+lora:"))
        if own & weights or config.model == manifest.arm_settings(name).get("model"):
            raise UserError(
                f"judge: {config.model} is under test as arm {name!r}, and models judge their own "
                f"reasoning kindly; take another judge, or set judge.allow_model_under_test: true"
            )


def _tasks(
    run: RunDirectory, experiment: ExperimentConfig, config: JudgeConfig
) -> list[tuple[Variant, Task]]:
    """What is left to read, with the variant and n."""
    tasks = []
    problems: dict[str, list[Problem]] = {
        benchmark: run.read_problems(benchmark) for benchmark in experiment.benchmarks
    }
    for variant in variants(config):
        for benchmark, known in problems.items():
            for arm in experiment.arms:
                n = experiment.arm_sampling(arm).n
                where = Partition(arm, benchmark)
                task = plan_judging(run, config, variant, where, n, experiment.seed, known)
                tasks.append((variant, task))
    return tasks


def _chains(tasks: list[tuple[Variant, Task]]) -> int:
    return sum(task.samples for _, task in tasks)


def _tidy(run: RunDirectory, config: JudgeConfig) -> None:
    for variant in variants(config):
        table, failures = (
            run.judgements(config.name, variant),
            run.judge_failures(config.name, variant),
        )
        for partition in table.partitions():
            compact(table, partition)
            failures.compact(partition)


class _JudgeLayer:
    """The validity layer that a judge's votes amount to."""

    name = "validity"
    doing = "storing what the judge says of"
    columns: Sequence[str] = ("problem_id", "sample_index", "votes", "text_hash")

    def __init__(self, config: JudgeConfig, done: Judged) -> None:
        self._config = config
        self._done = done

    def source(self, run: RunDirectory) -> PartTable:
        return run.judgements(self._config.name, ORIGINAL)

    def tables(self, run: RunDirectory, partition: Partition) -> list[PartTable]:
        return [run.validity(layer_name(self._config.name))]

    def deriver(self, run: RunDirectory, partition: Partition) -> Deriver:
        identity = run.read_manifest().judges[self._config.name].identity
        basis = short_hash(json.dumps(identity.as_json(), sort_keys=True))
        checker = f"{self._config.model} ({self._config.prompt})"

        def of_problems(problem_ids: tuple[str, ...], judgements: pa.Table) -> list[Wanted]:
            expected = judgements.drop_columns(["votes"])
            expected = expected.append_column("checker", pa.repeat(checker, len(expected)))
            expected = expected.append_column("basis_hash", pa.repeat(basis, len(expected)))

            def make(places: NDArray[np.int64]) -> list[Validity]:
                given = judgements["votes"].take(pa.array(places)).to_pylist()
                return [self._counted([vote["valid"] for vote in votes]) for votes in given]

            return [Wanted(expected, make)]

        return of_problems

    def _counted(self, votes: list[bool | None]) -> Validity:
        names = {True: "valid", False: "invalid", None: "abstained"}
        self._done.votes.update(names[vote] for vote in votes)
        return Validity(bands(votes).majority, [], [], votes)
