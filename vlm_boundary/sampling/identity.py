"""What an arm's samples were drawn from, so that samples of two things are never mixed."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from vlm_boundary.benchmarks import BenchmarkConfig, prompt_hash
from vlm_boundary.benchmarks.prompts import SAYING
from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.config import (
    ArmConfig,
    EngineConfig,
    OpenAIConfig,
    PrmConfig,
    ReplayConfig,
    SamplingConfig,
)
from vlm_boundary.engines.replay import fingerprint_samples
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Checkpoint, Identity, RunBenchmark
from vlm_boundary.records.problem import Problem, description_hash
from vlm_boundary.sampling.asked import Asked, Target
from vlm_boundary.sampling.conditions import Rules, shown_under
from vlm_boundary.sampling.prefixes import RULES
from vlm_boundary.settings import validate
from vlm_boundary.store.fingerprint import first_difference


@dataclass(frozen=True)
class ArmSource:
    """What an arm's samples come from; `checkpoint` is None where nothing is loaded here.

    `weights` identify it as well as can be known, `note` is what reports say of it.
    """

    checkpoint: Checkpoint | None
    weights: str
    note: str | None


def resolve_source(arm: ArmConfig, engine: EngineConfig | PrmConfig) -> ArmSource:
    """Find what an arm names.

    Raises:
        UserError: there is no such checkpoint or file.
    """
    if isinstance(engine, OpenAIConfig):
        # The server's word for it, and where it is unless the user says what it holds.
        where = arm.revision or ", ".join(engine.base_urls)
        return ArmSource(None, f"{arm.model} @ {where}", None)
    if isinstance(engine, ReplayConfig):
        name = PurePath(engine.path).name
        note = f"replayed from {name}; how it was drawn is known to who made that"
        return ArmSource(None, fingerprint_samples(engine), note)
    checkpoint = resolve_checkpoint(
        arm.model,
        arm.revision,
        base=arm.base,
        chat_template=arm.chat_template,
        trust_remote_code=arm.trust_remote_code,
    )
    return ArmSource(checkpoint, checkpoint.identity, checkpoint.note)


def same_source(
    arm: ArmConfig, engine: EngineConfig | PrmConfig, known: Identity
) -> Checkpoint | None:
    """Find on this machine what an arm was found to be on another.

    Raises:
        UserError: there is no such checkpoint here, or it is another one.
    """
    source = resolve_source(arm, engine)
    if source.weights != known.weights:
        raise UserError(
            f"{arm.model}: {platform.node()} has another checkpoint under this name than the run "
            f"was begun with; give all machines the same, or a hub id with its revision"
        )
    return source.checkpoint


def arm_identity(asked: Asked, source: ArmSource) -> Identity:
    """What determines an arm's distribution over responses, apart from the benchmark."""
    known: dict[str, Any] = {"weights": source.weights, "engine": asked.engine_identity}
    if isinstance(asked.engine, ReplayConfig):
        return Identity(**known)  # sampled elsewhere: our settings and seed had no part in it
    sampling = asked.sampling.model_dump()
    # A larger n is a top-up, further looks are told by `refuse_other_rule`, and what is kept of a
    # sample does not change it.
    for name in ("n", "stop", "logprob_sum", "token_logprobs"):
        del sampling[name]
    template = source.checkpoint.chat_template_hash if source.checkpoint else None
    if asked.told:
        known["chat_template_args"] = asked.told
    if source.checkpoint and source.checkpoint.trust_remote_code:
        known["trust_remote_code"] = True
    return Identity(**known, chat_template=template, sampling=sampling, seed=asked.seed)


def benchmark_identity(
    target: Target,
    benchmark: BenchmarkConfig,
    loaded: RunBenchmark,
    problems: Sequence[Problem],
    seed: int,
) -> dict[str, Any]:
    """What determines the prompts that an arm sees of a benchmark under a condition.

    Args:
        loaded: the hashes of its problems.
        seed: the run's.
    """
    condition = target.condition
    further: dict[str, Any] = {}
    if condition in SAYING:
        further["descriptions"] = loaded.descriptions
    if condition == "misleading_caption":
        further["family"] = benchmark.family
        # Whose family is which is in the metadata, which no other hash holds.
        shown = shown_under(problems, condition, seed, Rules(family=benchmark.family))
        further["shown_descriptions"] = description_hash(shown)
    if condition == "wrong_prefix":
        further["prefixes"] = RULES
    if target.strength is not None:
        further["strength"] = target.strength
    images = benchmark.images
    return further | {
        "problems": loaded.content,
        "prompt": prompt_hash(benchmark.worded(target.protocol), images, condition),
        "images": vars(images.budget),
    }


def refuse_other_rule(before: dict[str, Any], now: SamplingConfig, *, where: str) -> None:
    """Compare the stopping rule that samples were drawn under with the one that is asked for.

    A larger n with the same looks goes on, and so does one with the old n as a further look.

    Args:
        before: the arm's sampling parameters as its manifest has them.

    Raises:
        UserError: by the other rule the samples that are there are not those that it begins with.
    """
    if not before:
        return  # a manifest that does not say
    old = validate(SamplingConfig, before, where=where)
    alike = now.stopping_rule.goes_on_from(old.stopping_rule)
    if not alike:
        raise UserError(
            f"{where} already holds samples drawn with sampling.stop = {_rule(old)}, and now it is "
            f"{_rule(now)}; take another run_dir (or name), or restore it (a larger n goes on, "
            f"with the old n as a further look or without)"
        )


def refuse_to_read_by(now: SamplingConfig, before: dict[str, Any], *, where: str) -> None:
    """Compare the stopping rule that samples are to be read by with the one they were drawn under.

    Any rule reads samples of a fixed n; those of a rule are read by the same, up to a smaller n or
    before a larger one: by another, problems would have ended early that it gives more samples.

    Args:
        before: the arm's sampling parameters as its manifest has them.

    Raises:
        UserError: pass@k would be biased.
    """
    if not before:
        return  # a manifest that does not say
    old = validate(SamplingConfig, before, where=where)
    drawn, read = old.stopping_rule, now.stopping_rule
    if old.stop and not (read.goes_on_from(drawn) or drawn.goes_on_from(read)):
        raise UserError(
            f"{where} holds samples drawn with sampling.stop = {_rule(old)}, which cannot be read "
            f"as if it had been {_rule(now)}: problems that ended would lack samples; leave it as "
            f"it was"
        )


def _rule(sampling: SamplingConfig) -> str:
    if sampling.stop is None:
        return f"nothing (n = {sampling.n})"
    after = ", ".join(map(str, sampling.stop.after))
    return f"{{after: [{after}], right: {sampling.stop.right}}} (n = {sampling.n})"


def refuse_difference(before: Any, now: Any, *, where: str, what: str = "") -> None:
    """Compare two identities.

    Raises:
        UserError: they differ; the first difference is named with both values.
    """
    if before is None:
        raise UserError(
            f"{where} already holds samples{f' of {what}' if what else ''}, and the manifest does "
            f"not say what they were drawn from; restore it, or take another run_dir (or name)"
        )
    if difference := first_difference(before, now, what):
        raise UserError(
            f"{where} already holds samples drawn with {difference.drawn_with}; take another "
            f"run_dir (or name), or restore it"
        )
