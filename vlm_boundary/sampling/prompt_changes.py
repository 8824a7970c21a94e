"""How a prompt differs from the one that a run's samples were drawn with, word by word."""

from __future__ import annotations

import difflib
from typing import Any, NoReturn

from vlm_boundary.benchmarks import BenchmarkConfig, prompt_content
from vlm_boundary.config import Condition, ExperimentConfig
from vlm_boundary.errors import UserError
from vlm_boundary.records.manifest import Manifest
from vlm_boundary.settings import validate

_AROUND = 4


def refuse_other_prompt(
    manifest: Manifest,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    arm: str,
    condition: Condition,
    *,
    where: str,
) -> NoReturn:
    """Say how the words differ that an arm's samples were drawn with, as far as that is known.

    Args:
        manifest: as the samples were drawn.

    Raises:
        UserError: always.
    """
    changes = prompt_changes(manifest, experiment, benchmark, arm, condition)
    raise UserError(
        f"{where} already holds samples of {benchmark.name} drawn with another prompt"
        f"{f' ({changes})' if changes else ''}; take another run_dir (or name), or restore it"
    )


def prompt_changes(
    manifest: Manifest,
    experiment: ExperimentConfig,
    benchmark: BenchmarkConfig,
    arm: str,
    condition: Condition,
) -> str:
    """What of a prompt has changed since the manifest was written, [-taken away-] and {+added+}.

    Empty where the manifest is of a version that words prompts otherwise.
    """
    try:
        known = manifest.benchmarks[benchmark.name].config
        before = validate(BenchmarkConfig, known, where="benchmark")
        then = validate(ExperimentConfig, manifest.experiment, where="experiment")
    except UserError:
        return ""
    if arm not in then.arms:
        return ""
    old, new = (
        prompt_content(config.worded(settings.prompt(arm, condition)), config.images, condition)
        for config, settings in ((before, then), (benchmark, experiment))
    )
    changed = [
        f"{part}: {word_changes(_text(old[part]), _text(new[part]))}"
        for part in new
        if old[part] != new[part]
    ]
    return "; ".join(changed)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def word_changes(before: str, now: str) -> str:
    """Two texts as one, with what only the first has as [-…-] and what only the second as {+…+}."""
    old, new = before.split(" "), now.split(" ")
    said = []
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (step, a, b, c, d) in enumerate(steps):
        if step == "equal":
            said.append(_near(old[a:b], first=place == 0, last=place == len(steps) - 1))
            continue
        if b > a and old[a:b] != [""]:
            said.append(f"[-{' '.join(old[a:b])}-]")
        if d > c and new[c:d] != [""]:
            said.append(f"{{+{' '.join(new[c:d])}+}}")
    return " ".join(said)


def _near(words: list[str], *, first: bool, last: bool) -> str:
    """Of words that stay, those beside a change."""
    begin, end = (0 if first else _AROUND), (0 if last else _AROUND)
    if len(words) <= begin + end:
        return " ".join(words)
    kept = [*words[:begin], "…", *(words[-end:] if end else [])]
    return " ".join(kept)
