"""vLLM in this process, with a tiny checkpoint and real pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from required import needs

from vlm_boundary.benchmarks.images import ANY_SIZE, PictureBudget
from vlm_boundary.config import SamplingConfig, VllmConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Workload
from vlm_boundary.errors import UserError

needs("vllm")

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.engines.chat import ChatRenderer
from vlm_boundary.engines.vllm import VllmEngine, resolve_arguments
from vlm_boundary.tiny.architecture import token_id

pytestmark = pytest.mark.engine

END_OF_TURN = token_id("<|im_end|>")
SAMPLING = SamplingConfig(n=4, temperature=1.0, top_p=1.0, max_tokens=12)
ARGS = {"max_model_len": 512, "dtype": "float32", "kv_cache_memory_bytes": 128 << 20}


@pytest.fixture(scope="module")
def engine() -> Iterator[VllmEngine]:
    checkpoint = resolve_checkpoint("tiny:untrained-1")
    loaded = VllmEngine(checkpoint, VllmConfig(in_process=True, args=ARGS), Workload((), 2))
    yield loaded
    loaded.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = Image.new("RGB", (84, 84), "white")
    ImageDraw.Draw(image).rectangle((10, 30, 40, 80), fill="red")
    path = tmp_path / "0a.png"
    image.save(path)
    return path


def request(pictures: tuple[Path, ...], count: int = 4, **changes: Any) -> Request:
    content = [{"type": "image"} for _ in pictures] + [{"type": "text", "text": "How many bars?"}]
    asked = Request("p", [{"role": "user", "content": content}], pictures, range(count), seed=100)
    return replace(asked, **changes)


def _alive() -> None:
    pass


def test_the_engine_shows_that_it_is_alive_while_nothing_finishes(
    engine: VllmEngine, picture: Path
) -> None:
    beats = 0

    def alive() -> None:
        nonlocal beats
        beats += 1

    (only,) = engine.generate([request((picture,), 1)], SAMPLING, alive)
    assert isinstance(only, Completion)
    assert beats >= len(only.token_ids)


def draw(engine: VllmEngine, *requests: Request) -> dict[tuple[str, int], Completion]:
    found = {}
    for result in engine.generate(requests, SAMPLING, _alive):
        assert isinstance(result, Completion)
        found[result.request_id, result.index] = result
    return found


def test_every_sample_comes_once_with_its_own_seed(engine: VllmEngine, picture: Path) -> None:
    found = draw(engine, request((picture,)), request((picture,), 6, request_id="q", seed=500))
    assert sorted(found) == [("p", i) for i in range(4)] + [("q", i) for i in range(6)]
    assert {found["p", i].seed for i in range(4)} == {100, 101, 102, 103}
    assert len({tuple(sample.token_ids) for sample in found.values()}) == 10


def test_a_sample_depends_on_its_seed_alone(engine: VllmEngine, picture: Path) -> None:
    """Drawn apart, with others, or from the middle of a span: the same tokens."""
    whole = draw(engine, request((picture,), 6))
    tail = draw(engine, request((picture,), indices=range(3, 6)))
    for index in range(3, 6):
        assert tail["p", index].token_ids == whole["p", index].token_ids


def test_what_is_recorded_of_a_sample(engine: VllmEngine, picture: Path) -> None:
    samples = draw(engine, request((picture,), 32)).values()
    assert {sample.finish_reason for sample in samples} == {"stop", "length"}
    for sample in samples:
        if sample.finish_reason == "length":
            assert len(sample.token_ids) == 12
        else:
            assert sample.token_ids[-1] == END_OF_TURN
            assert "<|im_end|>" not in sample.text
    # The untrained model spreads nearly all its probability over 12 of its tokens: about
    # ln(1/12) = -2.5 a token, end of turn counted.
    tokens = sum(len(sample.token_ids) for sample in samples)
    assert sum(sample.logprob_sum or 0.0 for sample in samples) / tokens == pytest.approx(
        -2.5, abs=1
    )


def test_the_picture_reaches_the_model(engine: VllmEngine, picture: Path, tmp_path: Path) -> None:
    other = tmp_path / "0b.png"
    Image.new("RGB", (84, 84), "navy").save(other)
    seen = draw(engine, request((picture,)))["p", 0]
    changed = draw(engine, request((other,)))["p", 0]
    without = draw(engine, request(()))["p", 0]
    assert len({seen.logprob_sum, changed.logprob_sum, without.logprob_sum}) == 3


def test_two_pictures_reach_the_model_in_their_order(
    engine: VllmEngine, picture: Path, tmp_path: Path
) -> None:
    other = tmp_path / "0d.png"
    Image.new("RGB", (112, 84), "navy").save(other)
    seen = {
        draw(engine, request(pictures))["p", 0].logprob_sum
        for pictures in ((picture, other), (other, picture), (picture, picture))
    }
    assert len(seen) == 3


def test_a_pixel_budget_changes_what_the_model_sees(engine: VllmEngine, picture: Path) -> None:
    plain = draw(engine, request((picture,)))["p", 0]
    larger = draw(engine, request((picture,), budget=PictureBudget(40_000, 50_000)))["p", 0]
    assert plain.logprob_sum != larger.logprob_sum


def test_prompts_are_as_long_as_they_were_planned(
    engine: VllmEngine, picture: Path, tmp_path: Path
) -> None:
    other = tmp_path / "0e.png"
    Image.new("RGB", (300, 150), "navy").save(other)
    chat = ChatRenderer(resolve_checkpoint("tiny:untrained-1").folder)
    small, few = PictureBudget(40_000, 50_000), PictureBudget(max_tokens=20)
    cases = [((), ANY_SIZE), ((picture,), ANY_SIZE), ((picture, other), ANY_SIZE)]
    for pictures, budget in [*cases, ((other,), small), ((other,), few)]:
        asked = request(pictures, 1, budget=budget)
        (done,) = draw(engine, asked).values()
        rule = chat.pictures(budget)
        images = [rule.fit(Image.open(path)) for path in pictures]
        planned = chat.prompt_tokens(asked.messages, images, **rule.options)
        assert budget != few or planned[1] <= 20
        assert (done.prompt_tokens, done.picture_tokens) == planned
        assert (planned[1] > 0) == bool(pictures)


def test_what_cannot_run_is_said_and_the_rest_goes_on(
    engine: VllmEngine, picture: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "0c.png"
    broken.write_text("no picture")
    long = request((), request_id="long")
    long.messages[0]["content"][-1]["text"] = "x" * 600
    results = list(
        engine.generate(
            [request((broken,), request_id="broken"), long, request((picture,), 2)],
            SAMPLING,
            _alive,
        )
    )
    reasons = {r.request_id: r.reason for r in results if isinstance(r, Failure)}
    assert "can be decoded" in reasons["broken"]
    assert "max_model_len 512" in reasons["long"] or "512" in reasons["long"]
    assert sum(isinstance(r, Completion) for r in results) == 2


def test_more_pictures_than_the_engine_was_told_of_are_refused(
    engine: VllmEngine, picture: Path
) -> None:
    (result,) = engine.generate([request((picture,) * 3, 1)], SAMPLING, _alive)
    assert isinstance(result, Failure)


def test_a_stop_string_ends_the_text_before_it(engine: VllmEngine, picture: Path) -> None:
    sampling = SAMPLING.model_copy(update={"args": {"stop": ["3", "7"]}})
    results = list(engine.generate([request((picture,), 32)], sampling))
    samples = [result for result in results if isinstance(result, Completion)]
    assert len(samples) == 32
    assert not any("3" in sample.text or "7" in sample.text for sample in samples)
    stopped = [s for s in samples if s.finish_reason == "stop" and s.token_ids[-1] != END_OF_TURN]
    assert stopped  # and their ids are whole: the last is the stop string's own
    plain = draw(engine, request((picture,), 32))
    for sample in stopped:
        whole = plain["p", sample.index]
        assert whole.token_ids[: len(sample.token_ids)] == sample.token_ids
        assert whole.text.startswith(sample.text)


def test_the_description_names_versions_and_arguments(engine: VllmEngine) -> None:
    found = engine.describe()
    assert found["dtype"] == "float32"
    assert found["max_model_len"] == 512
    assert found["args"]["kv_cache_memory_bytes"] == 128 << 20
    assert found["vllm"]


def test_an_argument_that_is_not_vllms_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="'max_model_length'; did you mean 'max_model_len'"):
        resolve_arguments(VllmConfig(args={"max_model_length": 5}), on_cpu=True)
