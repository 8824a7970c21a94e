"""Before an engine starts: problems loaded, checkpoints found, and nothing mixed up."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig, load_benchmark, load_problems, messages
from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.benchmarks.prompts import Message
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.benchmarks.validation import not_shown
from vlm_boundary.config import FULL, ExperimentConfig
from vlm_boundary.engines.rendered import Pictures, rendered
from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.records.manifest import Manifest, RunArm, RunBenchmark
from vlm_boundary.records.problem import Problem, dataset_hash, description_hash, grading_hash
from vlm_boundary.records.verdict import GraderProgram
from vlm_boundary.sampling.asked import Asked, Target, refuse_apart
from vlm_boundary.sampling.changes import (
    changed_since,
    has_samples,
    refuse_other_descriptions,
    refuse_other_problems,
    refuse_other_prompt,
)
from vlm_boundary.sampling.conditions import alteration_of
from vlm_boundary.sampling.identity import (
    arm_identity,
    benchmark_identity,
    refuse_difference,
    refuse_other_rule,
    resolve_source,
)
from vlm_boundary.settings import validate
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier.program import refuse_missing

# What rendering finds out: it takes seconds, and the same settings give the same every time.
_FACTS = {"thinking_open", "pictures"}


@dataclass(frozen=True)
class Prepared:
    """What an experiment names, in the run directory except the manifest.

    Attributes:
        manifest: as it will be, except what `settle` finds out.
        benchmarks: their settings.
        problems: of each benchmark.
        asked: the arms whose checkpoints are needed.
        new: those of them whose prompts are to be rendered.
    """

    run: RunDirectory
    experiment: ExperimentConfig
    manifest: Manifest
    benchmarks: Mapping[str, BenchmarkConfig]
    problems: Mapping[str, list[Problem]]
    asked: Mapping[str, Asked]
    new: frozenset[str]

    @property
    def can_wait(self) -> bool:
        """Whether `settle` takes seconds, and nothing that is planned depends on it."""
        if not any(self.manifest.arms[name].checkpoint for name in self.new):
            return False
        held = {one.arm for one in self.run.samples.partitions()}
        if held & self.new:
            return False
        # A stopping rule has stored samples graded, which takes the manifest, and long.
        return not any(one.sampling.stop for name, one in self.asked.items() if name in held)

    def settle(self) -> Manifest:
        """Render the prompts of new arms, and write the manifest.

        Raises:
            UserError: they cannot be rendered as the settings ask, or arms are not asked alike.
        """
        arms = dict(self.manifest.arms)
        most = {
            name: max((len(problem.pictures) for problem in problems), default=0)
            for name, problems in self.problems.items()
        }
        pictures = {n: Pictures(one.images.budget, most[n]) for n, one in self.benchmarks.items()}
        for name, asked in self.asked.items():
            if name not in self.new:
                continue
            arm = arms[name]
            prompts = self._prompts(asked)
            found = rendered(asked.engine, arm.checkpoint, asked.told, pictures, prompts)
            arms[name] = arm.model_copy(update=vars(found))
        refuse_apart(self.experiment, arms)
        manifest = self.manifest.model_copy(update={"arms": arms})
        self.run.write_manifest(manifest)
        return manifest

    def _prompts(self, asked: Asked) -> Iterator[list[Message]]:
        for target in asked.targets:
            benchmark = self.benchmarks[target.benchmark]
            prompt = benchmark.worded(target.protocol)
            for problem in self.problems[target.benchmark]:
                if problem.error is None:
                    yield messages(problem, prompt, benchmark.images, target.condition)


def prepare(
    run: RunDirectory, experiment: ExperimentConfig, *, only: Collection[str] | None = None
) -> Manifest:
    """Load what the experiment names into the run directory; returns the new manifest.

    Args:
        only: the arms whose checkpoints are needed, when not all of them.

    Raises:
        UserError: as for `begin`, or for `Prepared.settle`.
    """
    return begin(run, experiment, Asked.of_arms(experiment, only)).settle()


def begin(run: RunDirectory, experiment: ExperimentConfig, asked: Mapping[str, Asked]) -> Prepared:
    """Load what the experiment names into the run directory, all but what takes an arm's processor.

    Args:
        asked: the arms whose checkpoints are needed.

    Raises:
        UserError: a benchmark or a checkpoint is not what it should be, or the run already holds
            samples of something else under the same names.
    """
    if not run.begun and run.samples.partitions():
        raise UserError(
            f"{run.path}: it holds samples and no manifest.json, which says what they were drawn "
            f"from; restore it, or take another run_dir (or name)"
        )
    manifest = run.read_manifest()
    # Both are checked before either is loaded: a typing error in the second must not wait.
    benchmarks = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    sources = {name: resolve_source(one.arm, one.engine) for name, one in asked.items()}
    # As far as it is known before anything is loaded.
    identities = {name: arm_identity(one, sources[name]) for name, one in asked.items()}
    refuse_apart(experiment, {name: RunArm(identity=one) for name, one in identities.items()})
    _refuse_missing_graders(benchmarks, asked)
    loaded = dict(manifest.benchmarks)
    for name, benchmark in benchmarks.items():
        loaded[name] = _load(run, benchmark, loaded.get(name))
    problems = {name: run.read_problems(name) for name in benchmarks}
    # Most arms share theirs.
    targets = dict.fromkeys(target for one in asked.values() for target in one.targets)
    prompts = _made_ready(run, targets, benchmarks, loaded, problems, experiment.seed)
    arms, new = dict(manifest.arms), set()
    for name, one in asked.items():
        before = arms.get(name)
        now = {target.name: prompts[target] for target in one.targets}
        arms[name] = RunArm(
            identity=identities[name],
            prompts=before.prompts | now if before else now,
            sampling=one.sampling.model_dump(mode="json"),
            engine=one.engine.model_dump(mode="json"),
            checkpoint=sources[name].checkpoint,
            note=sources[name].note,
        )
        _refuse_mixing(run, experiment, name, one, arms[name], manifest, benchmarks)
        if before and _rendered_alike(before, arms[name]):
            facts = {fact: getattr(before, fact) for fact in _FACTS}
            arms[name] = arms[name].model_copy(update=facts)
        else:
            new.add(name)
    update = {
        "experiment": json.loads(experiment.model_dump_json()),
        "benchmarks": loaded,
        "arms": arms,
    }
    manifest = manifest.model_copy(update=update)
    return Prepared(run, experiment, manifest, benchmarks, problems, asked, frozenset(new))


def _refuse_missing_graders(
    benchmarks: Mapping[str, BenchmarkConfig], asked: Mapping[str, Asked]
) -> None:
    """Under a stopping rule a benchmark's own program grades while the engine draws."""
    for name, benchmark in benchmarks.items():
        program = GraderProgram.of(benchmark.grading.model_dump())
        if program and any(one.sampling.stop for one in asked.values()):
            refuse_missing(program, f"benchmark {name!r}")


def _load(
    run: RunDirectory, benchmark: BenchmarkConfig, before: RunBenchmark | None
) -> RunBenchmark:
    config = json.loads(benchmark.model_dump_json())
    changes = changed_since(run, benchmark, before)
    if before and not changes:
        return before
    with progress_bar(f"loading {benchmark.name}", unit="problem") as bar:
        found = load_problems(benchmark, run.images, progress=lambda _: bar.update())
    origin = found.origin.record()
    now = RunBenchmark(
        config=config,
        content=dataset_hash(found.problems),
        descriptions=description_hash(found.problems),
        grading=grading_hash(found.problems),
        problems=len(found.problems),
        unusable=sum(problem.error is not None for problem in found.problems),
        filters=list(found.filter_log),
    )
    if before and before.content != now.content and has_samples(run, benchmark.name):
        refuse_other_problems(run, benchmark.name, found.problems, changes)
    refuse_other_descriptions(run, benchmark.name, before, str(now.descriptions))
    run.write_problems(benchmark.name, found.problems)
    run.write_origin(benchmark.name, origin)
    return now


def regrade_by(run: RunDirectory, experiment: ExperimentConfig) -> list[str]:
    """Take over how an experiment's benchmarks are graded; returns those where that has changed.

    Raises:
        UserError: a benchmark cannot be read, or is not the one that samples were drawn of.
    """
    with run.locks.turn():
        manifest = run.read_manifest()
        changed = {}
        for name, changes in experiment.benchmarks.items():
            known = manifest.benchmarks.get(name)
            grading = load_benchmark(name, changes).grading
            # As settings: a run of an older version lacks keys that are at their defaults.
            if known and type(grading).model_validate(known.config.get("grading", {})) != grading:
                config = known.config | {"grading": json.loads(grading.model_dump_json())}
                read = validate(BenchmarkConfig, config, where=f"benchmark {name!r}")
                changed[name] = _load(run, read, known)
        if changed:
            benchmarks = manifest.benchmarks | changed
            run.write_manifest(manifest.model_copy(update={"benchmarks": benchmarks}))
    return list(changed)


def _made_ready(
    run: RunDirectory,
    targets: Collection[Target],
    benchmarks: Mapping[str, BenchmarkConfig],
    loaded: Mapping[str, RunBenchmark],
    problems: Mapping[str, Sequence[Problem]],
    seed: int,
) -> dict[Target, dict[str, Any]]:
    """Check the prompts of all targets, then make their pictures; returns what identifies each."""
    for target in targets:
        name = target.benchmark
        begun = has_samples(run, name)
        _check_prompts(problems[name], benchmarks[name], target, begun=begun)
    identities: dict[Target, dict[str, Any]] = {}
    altered = {(one.benchmark, one.condition, one.strength): one for one in targets}
    for target in altered.values():  # those that only word their prompts otherwise share pictures
        _alter_pictures(run, problems[target.benchmark], target, seed)
    for target in targets:
        name, theirs = target.benchmark, problems[target.benchmark]
        identities[target] = benchmark_identity(
            target, benchmarks[name], loaded[name], theirs, seed
        )
    return identities


def _check_prompts(
    problems: Sequence[Problem], benchmark: BenchmarkConfig, target: Target, *, begun: bool
) -> None:
    """Words every problem once: no template fails in mid-run, no question is left out.

    One that has `begun` goes on as it was asked.
    """
    prompt = benchmark.worded(target.protocol)
    options_in_question = benchmark.options.shown == "question"
    for problem in problems:
        try:
            messages(problem, prompt, benchmark.images, target.condition)
        except TemplateProblem as error:
            raise UserError(
                f"benchmark {benchmark.name!r}: prompt, problem {problem.problem_id!r}: {error}"
            ) from None
        if begun or problem.error is not None:
            continue
        if reason := not_shown(
            problem, prompt, benchmark.images, options_in_question=options_in_question
        ):
            raise UserError(
                f"benchmark {benchmark.name!r}: problem {problem.problem_id!r}: {reason}"
            )


def _alter_pictures(
    run: RunDirectory, problems: Sequence[Problem], target: Target, seed: int
) -> None:
    """Make the pictures that a condition shows altered, once.

    Raises:
        UserError: a stored picture is damaged or gone.
    """
    alteration = alteration_of(target.condition, seed, target.strength)
    if alteration is None:
        return
    usable = [problem for problem in problems if problem.error is None]
    names = dict.fromkeys(name for problem in usable for name in problem.pictures)
    with progress_bar(f"{target.condition} {target.benchmark}", unit="picture") as bar:
        for name in names:
            try:
                alteration.store(name, run.images)
            except PictureError as error:
                raise UserError(
                    f"{run.images / name}: {error}; 'vlm-boundary fsck {run.path} --repair' has it "
                    f"read again"
                ) from None
            bar.update()


def _refuse_mixing(
    run: RunDirectory,
    experiment: ExperimentConfig,
    name: str,
    asked: Asked,
    now: RunArm,
    manifest: Manifest,
    benchmarks: Mapping[str, BenchmarkConfig],
) -> None:
    """Refuse to draw from, or score under, anything else than an arm's stored rows are of.

    Args:
        manifest: as they were stored.
    """
    before = manifest.arms.get(name, RunArm())
    drawn_from = before.identity.as_json() if name in manifest.arms else None
    scored = {(p.benchmark, p.condition) for p in run.scores(name).partitions()}
    where = f"{run.path}: arm {name!r}"
    for target in asked.targets:
        partition = Partition(name, target.benchmark, target.condition)
        by_it = (target.benchmark, target.condition) in scored
        if not by_it and not run.samples.parts(partition):
            continue
        refuse_difference(drawn_from, now.identity.as_json(), where=where)
        then, prompt = before.prompts.get(target.name), now.prompts[target.name]
        if then and then.get("prompt") != prompt["prompt"]:
            config = benchmarks[target.benchmark]
            refuse_other_prompt(manifest, experiment, config, name, target.condition, where=where)
        refuse_difference(then, prompt, where=where, what=target.name)
        if target.condition == FULL:
            refuse_other_rule(before.sampling, asked.sampling, where=where)


def _rendered_alike(before: RunArm, now: RunArm) -> bool:
    """Whether what rendering found out before holds now."""
    known = before.model_fields_set >= _FACTS and before.prompts == now.prompts
    return known and before.identity.as_json() == now.identity.as_json()
