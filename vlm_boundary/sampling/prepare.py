"""Before an engine starts: problems loaded, checkpoints found, and nothing mixed up."""

from __future__ import annotations

import json
from collections.abc import Collection

from vlm_boundary.benchmarks import (
    BenchmarkConfig,
    load_benchmark,
    load_problems,
    messages,
)
from vlm_boundary.benchmarks.checking import not_shown
from vlm_boundary.benchmarks.images import PictureError
from vlm_boundary.benchmarks.templates import TemplateProblem
from vlm_boundary.config import FULL, Condition, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.progress import progress_bar
from vlm_boundary.records.grader_program import GraderProgram
from vlm_boundary.records.manifest import Identity, Manifest, RunArm, RunBenchmark
from vlm_boundary.records.problem import dataset_hash, description_hash, grading_hash
from vlm_boundary.sampling.alike import refuse_apart
from vlm_boundary.sampling.conditions import alteration_of
from vlm_boundary.sampling.data_changes import (
    changed_since,
    has_samples,
    refuse_other_descriptions,
    refuse_other_problems,
)
from vlm_boundary.sampling.identity import (
    ArmSource,
    arm_identity,
    benchmark_identity,
    refuse_difference,
    refuse_other_rule,
    resolve_source,
)
from vlm_boundary.sampling.prompt_changes import refuse_other_prompt
from vlm_boundary.sampling.rendered import Rendered, rendered
from vlm_boundary.settings import validate
from vlm_boundary.store import Partition, RunDirectory
from vlm_boundary.verifier.program import refuse_missing


def prepare(
    run: RunDirectory, experiment: ExperimentConfig, *, only: Collection[str] | None = None
) -> Manifest:
    """Load what the experiment names into the run directory; returns the new manifest.

    Args:
        only: the arms whose checkpoints are needed, when not all of them.

    Raises:
        UserError: a benchmark or a checkpoint is not what it should be, or the run already holds
            samples of something else under the same names.
    """
    if not run.begun and run.samples.partitions():
        raise UserError(
            f"{run.path}: it holds samples and no manifest.json, which says what they were drawn "
            f"from; restore it, or take another run_dir (or name)"
        )
    # Both are checked before either is loaded: a typing error in the second must not wait.
    benchmarks = {
        name: load_benchmark(name, changes) for name, changes in experiment.benchmarks.items()
    }
    sources = {
        name: resolve_source(arm, experiment.arm_engine(name))
        for name, arm in experiment.arms.items()
        if only is None or name in only
    }
    # As far as it is known before anything is loaded.
    identities = {name: arm_identity(experiment, name, one) for name, one in sources.items()}
    refuse_apart(experiment, {name: RunArm(identity=one) for name, one in identities.items()})
    manifest = run.read_manifest()
    loaded = dict(manifest.benchmarks)
    for name, benchmark in benchmarks.items():
        program = GraderProgram.of(benchmark.grading.model_dump())
        if program and any(experiment.arm_sampling(arm).stop for arm in sources):
            refuse_missing(program, f"benchmark {name!r}")  # it grades while the engine draws
        loaded[name] = _load(run, benchmark, loaded.get(name))
    arms = {}
    wordings = dict.fromkeys(  # most arms share one
        (name, experiment.prompt(arm, condition), condition)
        for arm, name, condition, _ in experiment.targets()
        if arm in sources
    )
    for name, protocol, condition in wordings:
        _check_prompts(run, benchmarks[name], protocol, condition)
    for name, condition in dict.fromkeys((name, condition) for name, _, condition in wordings):
        _alter_pictures(run, experiment, name, condition)
    for name, source in sources.items():
        before = manifest.arms.get(name)
        arms[name] = _arm(
            run, experiment, name, source, identities[name], before, benchmarks, loaded
        )
    refuse_apart(experiment, manifest.arms | arms)
    manifest = manifest.model_copy(
        update={
            "experiment": json.loads(experiment.model_dump_json()),
            "benchmarks": loaded,
            "arms": manifest.arms | arms,
        }
    )
    run.write_manifest(manifest)
    return manifest


def _load(
    run: RunDirectory, benchmark: BenchmarkConfig, before: RunBenchmark | None
) -> RunBenchmark:
    config = json.loads(benchmark.model_dump_json())
    changes = changed_since(run, benchmark, before)
    if before and not changes:
        return before
    with progress_bar(f"loading {benchmark.name}", unit="problem") as bar:
        found = load_problems(benchmark, run.images, progress=lambda _: bar.update())
    content = dataset_hash(found.problems)
    if before and before.content != content and has_samples(run, benchmark.name):
        refuse_other_problems(run, benchmark.name, found.problems, changes)
    descriptions = description_hash(found.problems)
    refuse_other_descriptions(run, benchmark.name, before, descriptions)
    run.write_problems(benchmark.name, found.problems)
    run.write_origin(benchmark.name, found.origin.record())
    return RunBenchmark(
        config=config,
        content=content,
        descriptions=descriptions,
        grading=grading_hash(found.problems),
        problems=len(found.problems),
        unusable=sum(problem.error is not None for problem in found.problems),
        filters=list(found.filter_log),
    )


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


def _check_prompts(
    run: RunDirectory, benchmark: BenchmarkConfig, protocol: str | None, condition: Condition
) -> None:
    """Words every problem once: no template fails in mid-run, no question is left out."""
    prompt = benchmark.worded(protocol)
    options_in_question = benchmark.options.shown == "question"
    begun = has_samples(run, benchmark.name)  # it goes on as it was asked
    for problem in run.read_problems(benchmark.name):
        try:
            messages(problem, prompt, benchmark.images, condition)
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
    run: RunDirectory, experiment: ExperimentConfig, benchmark: str, condition: Condition
) -> None:
    """Make the pictures that a condition shows altered, once.

    Raises:
        UserError: a stored picture is damaged or gone.
    """
    alteration = alteration_of(condition, experiment.seed, experiment.strength(condition))
    if alteration is None:
        return
    usable = [problem for problem in run.read_problems(benchmark) if problem.error is None]
    names = dict.fromkeys(name for problem in usable for name in problem.pictures)
    with progress_bar(f"{condition} {benchmark}", unit="picture") as bar:
        for name in names:
            try:
                alteration.store(name, run.images)
            except PictureError as error:
                raise UserError(
                    f"{run.images / name}: {error}; 'vlm-boundary fsck {run.path} --repair' has it "
                    f"read again"
                ) from None
            bar.update()


def _arm(
    run: RunDirectory,
    experiment: ExperimentConfig,
    name: str,
    source: ArmSource,
    identity: Identity,
    before: RunArm | None,
    benchmarks: dict[str, BenchmarkConfig],
    loaded: dict[str, RunBenchmark],
) -> RunArm:
    drawn_from = before.identity.as_json() if before else None
    prompts = dict(before.prompts) if before else {}
    known = {"thinking_open", "pictures"}
    # Rendering takes seconds, and the same checkpoint's template ends alike every time.
    same = before is not None and drawn_from == identity.as_json()
    same = same and before is not None and known <= before.model_fields_set
    scored = run.scores(name).partitions()
    for arm, benchmark, condition, _ in experiment.targets():
        if arm != name:
            continue
        now = benchmark_identity(
            run, experiment, benchmarks[benchmark], name, condition, loaded[benchmark]
        )
        what = benchmark if condition == FULL else f"{benchmark}/{condition}"
        by_it = any((p.benchmark, p.condition) == (benchmark, condition) for p in scored)
        if by_it or run.samples.parts(Partition(name, benchmark, condition)):
            where = f"{run.path}: arm {name!r}"
            refuse_difference(drawn_from, identity.as_json(), where=where)
            asked = prompts.get(what)
            if asked and asked.get("prompt") != now["prompt"]:
                manifest, config = run.read_manifest(), benchmarks[benchmark]
                refuse_other_prompt(manifest, experiment, config, name, condition, where=where)
            refuse_difference(asked, now, where=where, what=what)
            if before and condition == FULL:
                refuse_other_rule(before.sampling, experiment.arm_sampling(name), where=where)
        same = same and prompts.get(what) == now
        prompts[what] = now
    if before and same:
        shown = Rendered(before.thinking_open, before.pictures)
    else:
        shown = rendered(run, experiment, name, source.checkpoint, benchmarks)
    return RunArm(
        identity=identity,
        prompts=prompts,
        sampling=experiment.arm_sampling(name).model_dump(mode="json"),
        engine=experiment.arm_engine(name).model_dump(mode="json"),
        checkpoint=source.checkpoint,
        note=source.note,
        thinking_open=shown.thinking_open,
        pictures=shown.pictures,
    )
