"""Problems drawn by this package, as records."""

from __future__ import annotations

import io
from collections.abc import Iterator

from vlm_boundary.benchmarks.schema import ProceduralConfig
from vlm_boundary.benchmarks.sources.files import Record
from vlm_boundary.errors import UserError


def drawn_records(config: ProceduralConfig) -> Iterator[Record]:
    """The held-out problems of a seed, each with its picture as PNG bytes.

    Raises:
        UserError: no such family, or it has not as many different problems.
    """
    from vlm_boundary.benchmarks import procedural

    families = config.families or procedural.FAMILIES
    if unknown := set(families) - set(procedural.ALL_FAMILIES):
        raise UserError(
            f"procedural.families: no family {min(unknown)!r}; "
            f"there are {', '.join(procedural.ALL_FAMILIES)}"
        )
    problems = procedural.problems(
        split="test", seed=config.seed, count=config.count, families=families
    )
    while True:
        try:
            problem = next(problems)
        except StopIteration:
            return
        except ValueError as error:
            raise UserError(f"procedural: {error}") from None
        png = io.BytesIO()
        problem.draw(config.size).save(png, format="PNG")
        described = procedural.description(problem)
        yield problem.record() | {"description": described, "image": png.getvalue()}
