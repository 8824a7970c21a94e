"""Settings of prompts and pictures on the real engine, family by family."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("vllm", reason="vLLM is not installed")

from families.checks import SAMPLING, Checks

from vlm_boundary.benchmarks.images import PictureBudget, open_rgb
from vlm_boundary.engines import Completion

pytestmark = pytest.mark.engine

# A family, the most tokens a picture, and what its chat template can be told.
CASES = [
    ("gemma4", 140, {"enable_thinking": True}),
    *(
        pytest.param(*case, marks=pytest.mark.long)
        for case in (
            ("qwen3-vl", 6, {}),
            ("glm4v", 6, {"enable_thinking": False}),
            ("internvl", 12, {}),
            ("qwen2.5-vl", 6, {}),
        )
    ),
]


@pytest.mark.parametrize(("family", "most", "told"), CASES)
def test_the_engine_reads_the_prompt_and_the_pictures_that_were_planned(
    family: str, most: int, told: dict[str, bool], tmp_path: Path
) -> None:
    checks = Checks(family, tmp_path)
    checks.chat = checks._write()
    checks.engine = checks._start()
    try:
        shown = checks.pictures
        rule = checks.chat.pictures(PictureBudget(max_tokens=most))
        fitted = [rule.fit(open_rgb(path)) for path in shown]
        asked = checks.ask(shown)
        planned = checks.chat.prompt_tokens(asked.messages, fitted, told, **rule.options)
        asked = replace(asked, budget=PictureBudget(max_tokens=most), chat_template_args=told)
        (drawn,) = checks.engine.generate([asked], SAMPLING)
        assert isinstance(drawn, Completion), drawn
        assert (drawn.prompt_tokens, drawn.picture_tokens) == planned
        marks = 2 * len(shown)
        assert planned[1] <= most * len(shown) + marks
        # Told nothing, neither holds.
        (plain,) = checks.draw(shown)
        assert plain.prompt_tokens != drawn.prompt_tokens
    finally:
        checks.engine.close()
