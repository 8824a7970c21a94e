"""What is wrong with settings, in the words of who wrote them: a row for each mistake."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.config.gate import GateRules
from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.settings import apply_overrides, parse_value, validate

EXPERIMENT = """
name: t
benchmarks: {mine: }
arms: {base: {model: org/base, role: base}}
"""
BENCHMARK = """
name: mine
dataset_path: mine.csv
fields: {question: q, answer: a}
prompt: boxed
"""
# Of pydantic's: none of it is a word of ours.
JARGON = (
    *("Input should", "valid dictionary", "instance of", "constrained", "discriminator"),
    *("validation", "unable to parse", "Config", "function-", "literal[", "tagged"),
)


def said_of(model: type[BaseModel], text: str, change: str = "") -> str:
    with pytest.raises(UserError) as raised:
        validate(model, apply_overrides(parse_value(text), [change] if change else []), where="F")
    message = str(raised.value).removeprefix("F: ")
    assert "\n" not in message
    for word in JARGON:
        assert word not in message
    return message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sampling.n=many", "sampling.n: expected a whole number (given: 'many')"),
        ("sampling.n=1.5", "sampling.n: expected a whole number (given: 1.5)"),
        ("sampling.n=0", "sampling.n: expected a number of at least 1 (given: 0)"),
        ("sampling.top_p=2", "sampling.top_p: expected a number of at most 1 (given: 2)"),
        ("analysis.confidence=95", "analysis.confidence: expected a number below 1 (given: 95)"),
        ("sampling=3", "sampling: expected keys and values (given: 3)"),
        ("sampling.stop=yes", "sampling.stop: expected keys and values (given: 'yes')"),
        ("sampling.stop.after=8", "sampling.stop.after: expected a list, as in [a, b] (given: 8)"),
        ("waves=[a]", "waves[0]: expected a whole number (given: 'a')"),
        ("sampling.logprob_sum=perhaps", "sampling.logprob_sum: expected true or false "
         "(given: 'perhaps')"),
        ("run_dir=3", "run_dir: expected text (in quotes) (given: 3)"),
        ("arms={}", "arms: expected at least 1 entry (given: {})"),
        ("arms.base=org/base", "arms.base: expected keys and values (given: 'org/base')"),
        ("arms.base.role=bse", "arms.base.role: expected 'base', 'rl', 'instruct', 'distilled', "
         "'step' or 'repeat' (given: 'bse'); did you mean 'base'?"),
        ("name=a/b", "name: 'a/b' is no name here; use letters, digits, '.', '_' and '-', "
         "beginning with one of the first two"),
        ("engine=vllm", "engine: expected keys and values (given: 'vllm'); write {kind: vllm}"),
        ("engine.kind=vlm", "engine.kind: 'vlm' is none of 'vllm', 'openai', 'transformers', "
         "'replay'; did you mean 'vllm'?"),
        ("temperature=1", "unknown key 'temperature'; its place is sampling.temperature"),
        ("n=4", "unknown key 'n'; its place is sampling.n or controls.NAME.n"),
        ("prompt=boxed", "unknown key 'prompt'; its place is arms.NAME.prompt or "
         "controls.NAME.prompt"),
        ("arms.base.temperature=1", "unknown key 'arms.base.temperature'; its place is "
         "arms.base.sampling.temperature"),
        ("analysis.gpus=[0]", "unknown key 'analysis.gpus'; its place is gpus"),
        ("engine.max_model_len=9", "unknown key 'engine.max_model_len'; settings under the "
         "engine's own names go into engine.args. Valid keys here: kind, in_process, "
         "processed_logprobs, mask_picture_tokens, swap_weights, args"),
        ("engine.base_urls=[x]", "unknown key 'engine.base_urls'; did you mean 'base_url'? Valid "
         "keys here: kind, in_process, processed_logprobs, mask_picture_tokens, swap_weights, "
         "args"),
    ],
)  # fmt: skip
def test_an_experiment(change: str, said: str) -> None:
    assert said_of(ExperimentConfig, EXPERIMENT, change) == said


@pytest.mark.parametrize("key", ["SamplingConfig", "[key]", "ExperimentConfig", "bool"])
@pytest.mark.parametrize("where", ["", "sampling"])
def test_a_key_that_is_named_like_a_type_is_a_key(key: str, where: str) -> None:
    raw = parse_value(EXPERIMENT) | ({where: {key: 1}} if where else {key: 1})
    with pytest.raises(UserError) as raised:
        validate(ExperimentConfig, raw, where="F")
    assert f"unknown key '{where + '.' if where else ''}{key}'" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("prompt=3", "prompt: expected text (in quotes) or keys and values (given: 3)"),
        ("split=4", "split: expected text (in quotes) or a list, as in [a, b] (given: 4)"),
        ("fields.choices=3", "fields.choices: expected text (in quotes) or a list, as in [a, b] "
         "(given: 3)"),
        ("filters=[drop]", "filters[0]: expected keys and values (given: 'drop')"),
        ("filters=[{multiple_choice: dorp}]", "filters[0].multiple_choice: expected 'drop' or "
         "'keep' (given: 'dorp'); did you mean 'drop'?"),
        ("question=q", "unknown key 'question'; its place is fields.question"),
        ("min_pixels=4", "unknown key 'min_pixels'; its place is images.min_pixels"),
        ("tolerance=0.1", "unknown key 'tolerance'; its place is fields.tolerance or "
         "grading.tolerance"),
        ("prompt={usr: x}", "unknown key 'prompt.usr'; did you mean 'user'? Valid keys here: "
         "system, user, instruction, placement, separator, hints, direct_instruction, "
         "no_image_instruction, half_question_instruction, described"),
    ],
)  # fmt: skip
def test_a_benchmark(change: str, said: str) -> None:
    assert said_of(BenchmarkConfig, BENCHMARK, change) == said


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("[{kind: not_lower, k: 0, points: 2}]",
         "rules[0].k: expected a number of at least 1 or 'n' (given: 0)"),
        ("[{kind: not_lower, k: many, points: 2}]",
         "rules[0].k: expected a whole number or 'n' (given: 'many')"),
        ("[{kind: not_lower, k: 1}]", "key 'rules[0].points' is missing"),
        ("[{k: 1, points: 2}]",
         "key 'rules[0].kind' is missing: one of 'not_lower', 'keeps', 'below'"),
        ("[{kind: lower}]", "rules[0].kind: 'lower' is none of 'not_lower', 'keeps', 'below'; did "
         "you mean 'not_lower' or 'below'?"),
        ("[{kind: keeps, problems: [1]}]",
         "rules[0].problems[0]: expected text (in quotes) (given: 1)"),
        ("[{kind: keeps}]", "rules[0]: keeps takes either problems or file"),
        ("[]", "rules: expected at least 1 entry (given: [])"),
        ("[3]", "rules[0]: expected keys and values (given: 3)"),
    ],
)  # fmt: skip
def test_rules_of_a_gate(rules: str, said: str) -> None:
    assert said_of(GateRules, f"rules: {rules}") == said


def test_an_error_is_told_by_its_first_line_or_by_its_kind() -> None:
    assert reason_of(ValueError("\n no such column\n  in row 3")) == "no such column"
    assert reason_of(EOFError()) == "EOFError"
