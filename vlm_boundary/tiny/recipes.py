"""The settings of training; nothing is set anywhere else, and the shipped weights followed them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vlm_boundary.benchmarks.procedural import FAMILIES
from vlm_boundary.config import FULL, Condition
from vlm_boundary.tiny.mixture import BROAD, CLEAN, Mixture

EQUATION_TOKENS = 160  # of a line of equations


@dataclass(frozen=True)
class SeeingLessons:
    """The vision tower's own training on the facts of pictures."""

    steps: int
    each: int
    """Pictures of each family in a batch."""
    learning_rate: float
    warmup: int = 50
    weight_decay: float = 0.05
    clip: float = 1.0
    log_every: int = 50


@dataclass(frozen=True)
class Reckoning:
    """The language model's own training on equations."""

    steps: int
    batch: int
    length: int = EQUATION_TOKENS
    """Tokens of a line."""
    warmup: int = 50
    clip: float = 1.0
    log_every: int = 50


@dataclass(frozen=True)
class Supervised:
    """Next-token training on written responses."""

    mixture: Mixture
    data_seed: int
    problems: int
    """Distinct problems, each met about steps x batch / problems times, newly worded."""
    steps: int
    batch: int
    captions: float
    """Share of the responses that only say what is in the picture: many facts to learn from."""
    describing: int
    """First steps, in which all responses do."""
    matrix_rate: float
    """Muon's learning rate, for the language model's matrices."""
    learning_rate: float
    """AdamW's, for its embeddings and norms."""
    vision_rate: float
    """AdamW's, for the vision tower, which can see by now."""
    described: float = 0.0
    """Share of the lessons that show a description in the picture's place."""
    equations: int = 0
    """Lines of equations beside each batch, so that sums are not forgotten over pictures."""
    seeing: SeeingLessons | None = None
    """The vision tower's own lessons before all this."""
    reckoning: Reckoning | None = None
    """The language model's own lessons before all this."""
    warmup: int = 60
    weight_decay: float = 0.05
    clip: float = 1.0
    log_every: int = 50
    watch_every: int = 500
    """Steps between two looks at the validation problems."""
    families: tuple[str, ...] = FAMILIES


@dataclass(frozen=True)
class Reinforcement:
    """GRPO on the verifier's verdict, each batch of responses used for one update."""

    data_seed: int
    steps: int
    problems: int
    """Problems per step, none of them met twice."""
    group: int
    """Responses to each problem."""
    learning_rate: float
    max_tokens: int = 96
    clip: float = 1.0
    warmup: int = 5
    watch_every: int = 20
    checkpoints: tuple[int, ...] = ()
    """Steps after which the model is kept beside the final one."""
    shown: Condition = FULL
    """The condition under which problems are put to the model; without pictures, what sees them
    gets no gradient and stays as it was."""
    families: tuple[str, ...] = FAMILIES


@dataclass(frozen=True)
class Unseeing:
    """A vision tower that sees worse, without training."""

    noise: float
    """Standard deviation of what is added to its weights, relative to each tensor's own size."""


FOUNDATION = Supervised(
    mixture=BROAD,
    data_seed=1,
    problems=40_000,
    steps=3_400,
    batch=48,
    captions=0.05,
    describing=1_000,
    matrix_rate=6e-3,
    learning_rate=2e-3,
    vision_rate=3e-4,
    seeing=SeeingLessons(steps=400, each=8, learning_rate=2e-3),
    reckoning=Reckoning(steps=400, batch=16),
)
BASE = replace(
    FOUNDATION,
    data_seed=10,
    problems=32_000,
    steps=1_000,
    describing=0,
    matrix_rate=4e-3,
    learning_rate=1.5e-3,
    equations=6,
    seeing=None,
    reckoning=None,
)
DISTILLED = replace(
    BASE,
    mixture=CLEAN,
    data_seed=2,
    problems=24_000,
    steps=800,
    captions=0.0,
    matrix_rate=2e-3,
    learning_rate=1e-3,
)
RL = Reinforcement(
    data_seed=3,
    steps=120,
    problems=32,
    group=8,
    learning_rate=1.5e-4,
    checkpoints=(40, 80),
)
READER = replace(BASE, data_seed=20, problems=24_000, steps=900, described=0.5)
READER_SEEING = Unseeing(noise=1.0)
RL_BLIND = replace(RL, shown="no_image", checkpoints=())
READER_REASONING = replace(RL, data_seed=22, shown="described", checkpoints=())

# The same code in under a minute. The base learns to answer with and without work; the limit on
# tokens cuts work off, so that there is something for RL to learn in seconds.
SMOKE_FOUNDATION = replace(
    FOUNDATION,
    mixture=replace(CLEAN, described=0, terse=3, answer_only=1),
    captions=0.0,
    describing=0,
    families=("counting",),
    seeing=SeeingLessons(steps=10, each=16, learning_rate=2e-3, log_every=5),
    reckoning=Reckoning(steps=5, batch=8, log_every=5),
    problems=256,
    steps=60,
    batch=16,
    warmup=10,
    log_every=10,
    watch_every=60,
)
SMOKE_BASE = replace(
    SMOKE_FOUNDATION, data_seed=BASE.data_seed, steps=20, equations=2, seeing=None, reckoning=None
)
SMOKE_DISTILLED = replace(SMOKE_BASE, data_seed=DISTILLED.data_seed, equations=0)
SMOKE_READER = replace(SMOKE_BASE, data_seed=READER.data_seed, described=0.5)
SMOKE_RL = replace(
    RL,
    families=("counting",),
    steps=16,
    problems=16,
    group=8,
    learning_rate=1e-3,
    max_tokens=16,
    watch_every=16,
    checkpoints=(4, 8),
)
SMOKE_RL_BLIND = replace(SMOKE_RL, shown="no_image", checkpoints=())
SMOKE_READER_REASONING = replace(
    SMOKE_RL, data_seed=READER_REASONING.data_seed, shown="described", checkpoints=()
)
