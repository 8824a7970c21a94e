"""The client of OpenAI-compatible servers: vLLM's real one, and others with worse manners."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from engine_parts import Manners, ask, draw_picture, scripted_server, vllm_server
from required import needs

from vlm_boundary.benchmarks.images import PictureBudget
from vlm_boundary.config import OpenAIConfig, SamplingConfig
from vlm_boundary.engines.base import Completion, Failure, Request, Workload
from vlm_boundary.errors import UserError

needs("openai")

from vlm_boundary.engines.openai import OpenAIEngine

SAMPLING = SamplingConfig(n=4, temperature=1.0, top_p=1.0, max_tokens=12)


def open_engine(
    url: str | list[str],
    *,
    sampling: SamplingConfig = SAMPLING,
    model: str = "tiny",
    **settings: Any,
) -> OpenAIEngine:
    asked = {key: settings.pop(key) for key in ("max_pixels", "max_tokens") if key in settings}
    config = OpenAIConfig.model_validate({"kind": "openai", "base_url": url, **settings})
    return OpenAIEngine(
        model, config, Workload((sampling,), max_images=1, budget=PictureBudget(**asked))
    )


def draw(
    engine: OpenAIEngine, *requests: Request, sampling: SamplingConfig = SAMPLING
) -> dict[tuple[str, int], Completion]:
    found = {}
    for result in engine.generate(requests, sampling):
        assert isinstance(result, Completion), result
        assert (result.request_id, result.index) not in found
        found[result.request_id, result.index] = result
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return draw_picture(tmp_path)


@pytest.fixture(scope="module")
def vllm_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needs("vllm")
    from vlm_boundary.checkpoints import resolve_checkpoint

    folder = resolve_checkpoint("tiny:untrained-1").folder
    with vllm_server(folder, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


@pytest.mark.engine
class TestVllmServer:
    """The real server with a tiny checkpoint."""

    def test_a_sample_depends_on_its_seed_alone(self, vllm_url: str, picture: Path) -> None:
        """In one request, in chunks or alone, by picture or by the picture's name."""
        whole = open_engine(vllm_url, samples_per_request=8)
        chunked = open_engine(vllm_url, samples_per_request=3, concurrency=1)
        try:
            together = draw(whole, ask((picture,), 8))
            apart = draw(chunked, ask((picture,), 8), ask((picture,), 5, request_id="q", seed=900))
        finally:
            whole.close()
            chunked.close()
        assert "seed + j" in whole.describe()["seeds"]
        assert {key: c.token_ids for key, c in together.items()} == {
            key: c.token_ids for key, c in apart.items() if key[0] == "p"
        }
        assert len({tuple(c.token_ids) for c in apart.values()}) == 13
        assert [apart["q", i].seed for i in range(5)] == [900, 901, 902, 903, 904]

    def test_what_is_recorded_of_a_sample(self, vllm_url: str, picture: Path) -> None:
        engine = open_engine(vllm_url)
        try:
            samples = draw(engine, ask((picture,), 24)).values()
        finally:
            engine.close()
        assert {sample.finish_reason for sample in samples} == {"stop", "length"}
        for sample in samples:
            assert (len(sample.token_ids) == 12) or sample.finish_reason == "stop"
            assert "<|im_end|>" not in sample.text
        # The untrained model spreads its probability over about twelve tokens: ln(1/12) = -2.5.
        tokens = sum(len(sample.token_ids) for sample in samples)
        assert sum(s.logprob_sum or 0.0 for s in samples) / tokens == pytest.approx(-2.5, abs=1)

    def test_what_cannot_run_is_said_and_the_rest_goes_on(
        self, vllm_url: str, picture: Path, tmp_path: Path
    ) -> None:
        broken = tmp_path / "0c.png"
        broken.write_text("no picture")
        # 509 tokens: the server would cut the response to three without a word.
        close = ask((), 1, request_id="close")
        close.messages[0]["content"][-1]["text"] = "x" * 501
        long = ask((), 1, request_id="long")
        long.messages[0]["content"][-1]["text"] = "x" * 600
        requests = [ask((broken,), 1, request_id="broken"), close, long, ask((picture,), 2)]
        engine = open_engine(vllm_url)
        try:
            results = list(engine.generate(requests, SAMPLING))
        finally:
            engine.close()
        reasons = {r.request_id: r.reason for r in results if isinstance(r, Failure)}
        assert "can be decoded" in reasons["broken"]
        assert "prompt of 509 tokens and max_tokens 12 exceed the 512" in reasons["close"]
        assert "512" in reasons["long"]
        assert sum(isinstance(r, Completion) for r in results) == 2

    def test_further_parameters_are_sent_and_unknown_ones_are_refused(
        self, vllm_url: str, picture: Path
    ) -> None:
        sampling = SAMPLING.model_copy(update={"args": {"min_tokens": 12}})
        engine = open_engine(vllm_url, sampling=sampling)
        try:
            samples = draw(engine, ask((picture,), 16), sampling=sampling).values()
        finally:
            engine.close()
        assert {len(sample.token_ids) for sample in samples} == {12}
        for args, says in (
            ({"min_token": 3}, "knows no parameter 'min_token'; did you mean 'min_tokens'"),
            ({"n": 3}, "n is not to be set: set engine.samples_per_request"),
            ({"stop_token_ids": "x"}, "refuses the parameters"),
        ):
            with pytest.raises(UserError) as raised:
                open_engine(vllm_url, sampling=SAMPLING.model_copy(update={"args": args}))
            assert says in str(raised.value)
            assert "\n" not in str(raised.value)

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"model": "other"}, "serves tiny, not 'other'"),
            ({"sampling": SamplingConfig(max_tokens=512)}, "leaves no room for a prompt"),
            ({"max_pixels": 50_000}, "engine.server_sets_pixels=true"),
        ],
    )
    def test_what_does_not_fit_the_server_is_said_at_once(
        self, vllm_url: str, settings: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(UserError) as raised:
            open_engine(vllm_url, **settings)
        assert says in str(raised.value)


@pytest.fixture
def other_server() -> Iterator[Callable[[Manners], str]]:
    with ExitStack() as servers:
        yield lambda manners: servers.enter_context(scripted_server(manners))


def by_seed(body: dict[str, Any], j: int) -> str:
    return f"text of {body['seed'] + j}"


_counter = itertools.count()


def ignoring(body: dict[str, Any], j: int) -> str:
    return f"text {next(_counter)}"


@pytest.mark.parametrize(
    ("answer", "most", "seeds", "together", "habit"),
    [
        (by_seed, 1000, True, 8, "seed + j"),
        # Every choice of a request from one seed, but not the seed plus its place.
        (lambda body, j: f"{body['seed']} {j}", 1000, True, 1, "first sample"),
        (by_seed, 1, True, 1, "first sample"),  # one choice, whatever n is
        (ignoring, 1000, False, 8, "ignored"),
        (ignoring, 1, False, 1, "ignored"),
        # The same text always: what it does with seeds cannot be told.
        (lambda body, j: "constant", 1000, False, 8, "ignored"),
    ],
)
def test_what_a_server_does_with_seeds_is_noticed(
    other_server: Callable[[Manners], str],
    answer: Callable[[dict[str, Any], int], str],
    most: int,
    seeds: bool,
    together: int,
    habit: str,
) -> None:
    manners = Manners(answer, most)
    engine = open_engine(other_server(manners), samples_per_request=8)
    manners.asked.clear()
    found = draw(engine, ask((), 16))
    engine.close()
    assert habit in engine.describe()["seeds"]
    assert len(found) == 16
    assert {body["n"] for body in manners.asked} == {together}
    for (_, index), sample in found.items():
        assert sample.seed == (100 + index if seeds else None)
        if answer is by_seed:
            assert sample.text == f"text of {100 + index}"
    assert all(("seed" in body) == seeds for body in manners.asked)


def test_the_parameters_are_all_said(other_server: Callable[[Manners], str], picture: Path) -> None:
    manners = Manners(by_seed)
    sampling = SAMPLING.model_copy(update={"top_k": 5, "args": {"frequency_penalty": 0.5}})
    engine = open_engine(other_server(manners), sampling=sampling)
    draw(engine, ask((picture,), 2), sampling=sampling)
    engine.close()
    body = manners.asked[-1]
    content = body.pop("messages")[0]["content"]
    assert content[0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert content[1] == {"type": "text", "text": "How many bars?"}
    # A server that is not vLLM's is not sent neutral values of parameters it may not know.
    assert body == {
        "model": "tiny",
        "n": 2,
        "seed": 100,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_tokens": 12,
        "top_k": 5,
        "frequency_penalty": 0.5,
    }


def test_a_busy_server_is_asked_again(other_server: Callable[[Manners], str]) -> None:
    manners = Manners(by_seed)
    engine = open_engine(other_server(manners))
    manners.refusals = itertools.chain([503, 429, 500], itertools.repeat(200))
    found = draw(engine, ask((), 4))
    engine.close()
    assert [found["p", i].text for i in range(4)] == [f"text of {100 + i}" for i in range(4)]


def test_a_server_that_is_gone_stops_the_run_with_one_line(
    other_server: Callable[[Manners], str],
) -> None:
    manners = Manners(by_seed)
    engine = open_engine(other_server(manners), max_retries=0)
    manners.refusals = iter([401])
    with pytest.raises(UserError, match="status 401"):
        draw(engine, ask((), 4))
    engine.close()
    with pytest.raises(UserError, match="no server answers"):
        open_engine("http://127.0.0.1:9/v1", max_retries=0)


def test_what_a_server_refuses_or_breaks_on_concerns_that_problem(
    other_server: Callable[[Manners], str],
) -> None:
    manners = Manners(by_seed)
    engine = open_engine(other_server(manners), max_retries=0, concurrency=1)
    manners.refusals = itertools.chain([400, 500], itertools.repeat(200))
    requests = [ask((), 1, request_id=name) for name in "abc"]
    results = {result.request_id: result for result in engine.generate(requests, SAMPLING)}
    engine.close()
    for name, says in (("a", "refuses it: "), ("b", "failed on it: ")):
        failure = results[name]
        assert isinstance(failure, Failure)
        assert says in failure.reason
    assert isinstance(results["c"], Completion)


def test_a_sample_that_the_server_gave_up_is_asked_for_again(
    other_server: Callable[[Manners], str],
) -> None:
    manners = Manners(by_seed)
    engine = open_engine(other_server(manners), samples_per_request=4)
    manners.reasons = itertools.chain(["stop", "abort", "stop", "error"], itertools.repeat("stop"))
    found = draw(engine, ask((), 4))
    assert [found["p", i].text for i in range(4)] == [f"text of {100 + i}" for i in range(4)]
    manners.reasons = itertools.repeat("abort")
    results = list(engine.generate([ask((), 2)], SAMPLING))
    engine.close()
    assert [(r.index, r.reason) for r in results if isinstance(r, Failure)] == [
        (0, "the server gave up on it 3 times"),
        (1, "the server gave up on it 3 times"),
    ]


def test_of_several_servers_each_problem_keeps_to_one(
    other_server: Callable[[Manners], str],
) -> None:
    both = [Manners(by_seed), Manners(by_seed)]
    engine = open_engine([other_server(manners) for manners in both], samples_per_request=2)
    for manners in both:
        manners.asked.clear()
    requests = [
        ask((), 4, request_id=f"p{i}", problem_id=f"p{i}", seed=1000 * i + 10) for i in range(20)
    ]
    assert len(draw(engine, *requests)) == 80
    engine.close()
    seen = [{body["seed"] // 1000 for body in manners.asked} for manners in both]
    assert not seen[0] & seen[1]
    assert seen[0]
    assert seen[1]


def test_a_pixel_budget_needs_a_server_that_takes_it(
    other_server: Callable[[Manners], str],
) -> None:
    url = other_server(Manners(by_seed))
    with pytest.raises(UserError, match="only vLLM's server takes"):
        open_engine(url, max_pixels=50_000)
    open_engine(url, max_pixels=50_000, server_sets_pixels=True).close()
    with pytest.raises(UserError, match=r"images\.max_tokens: how a server's model sizes"):
        open_engine(url, max_tokens=500)
    open_engine(url, max_tokens=500, server_sets_pixels=True).close()


def test_what_a_chat_template_is_told_goes_with_every_request(
    other_server: Callable[[Manners], str],
) -> None:
    manners = Manners(by_seed)
    url = other_server(manners)
    config = OpenAIConfig.model_validate({"kind": "openai", "base_url": url})
    told = {"enable_thinking": False}
    workload = Workload((SAMPLING,), max_images=0, chat_template_args=(told,))
    engine = OpenAIEngine("tiny", config, workload)
    # Tried at the start: a server that refuses it does so before anything is drawn.
    assert told in [body.get("chat_template_kwargs") for body in manners.asked]
    manners.asked.clear()
    draw(engine, ask((), 2, chat_template_args=told))
    assert [body["chat_template_kwargs"] for body in manners.asked] == [told] * len(manners.asked)
    manners.asked.clear()
    draw(engine, ask((), 2))
    assert not any("chat_template_kwargs" in body for body in manners.asked)
    engine.close()


def test_an_answer_that_is_begun_needs_a_server_that_can_go_on_with_it(
    other_server: Callable[[Manners], str],
) -> None:
    manners = Manners(by_seed)
    engine = open_engine(other_server(manners))
    begun = ask((), 2, prefix="First, 3 + 4 = 8.")
    (result,) = engine.generate([begun], SAMPLING)
    engine.close()
    assert isinstance(result, Failure)
    assert (result.lasting, result.index) == (True, None)
    assert result.reason.startswith("this server cannot go on with an answer that is begun")
