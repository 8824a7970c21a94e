r"""What a blind guesser scores on the two sets of the published visual panel.

The guesser sees neither picture nor question. It draws an answer from the set's own other answers
(leave one out), or from answers of problems that are not in the set (held out). The panel is figure
4 (right) of Yue et al. 2025, arXiv 2504.13837: MathVision testmini and MathVista testmini without
multiple choice.

    python examples/guessers.py --mathvision testmini.jsonl --held-out test.jsonl \\
        --mathvista testmini.json [--json OUT]

The files are the data sets' own, as JSON or JSONL: MathVision's records have `id`, `options` and
`answer` (the held-out file `id` and `answer`; problems of the set itself are left out of it),
MathVista's `question_type`, `answer`, `answer_type`, `unit` and `precision`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from vlm_boundary.analysis.guessing import (
    guessed_pass_at_k,
    held_out_chance,
    leave_one_out_chance,
)
from vlm_boundary.verifier import Gold, cross

KS = np.array([1, 2, 4, 8, 16, 32, 64, 128])
# Read off the figure's vector curves, at k = 128.
PUBLISHED = {
    "MathVision": {"base": 0.863766, "RL": 0.728154},
    "MathVista": {"base": 0.859674, "RL": 0.839160},
}


def main() -> None:
    """Print the curves, and write them where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mathvision", type=Path, metavar="FILE")
    parser.add_argument("--held-out", type=Path, metavar="FILE", help="MathVision's test split")
    parser.add_argument("--mathvista", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the curves there too")
    arguments = parser.parse_args()
    curves: dict[str, dict[str, list[float]]] = {}
    if arguments.mathvision:
        curves["MathVision"] = mathvision(arguments.mathvision, arguments.held_out)
    if arguments.mathvista:
        curves["MathVista"] = mathvista(arguments.mathvista)
    for name, found in curves.items():
        print(f"\n{name}, pass@k of a blind guesser\n")
        print("| k | " + " | ".join(found) + " |\n|---:|" + "---:|" * len(found))
        for row, k in enumerate(KS):
            print(f"| {k} | " + " | ".join(f"{one[row]:.3f}" for one in found.values()) + " |")
        published = ", ".join(f"{model} {value:.3f}" for model, value in PUBLISHED[name].items())
        print(f"\nPublished at k = 128: {published}.")
    if arguments.json:
        content = {"ks": KS.tolist(), "guessers": curves, "published_at_128": PUBLISHED}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def mathvision(path: Path, held_out: Path | None) -> dict[str, list[float]]:
    """Curves of the problems without options."""
    records = [record for record in read(path) if not record["options"]]
    golds = [Gold(record["answer"], question=record["question"]) for record in records]
    found = {f"leave one out ({len(golds)} problems)": leave_one_out(golds)}
    if held_out is not None:
        own = {str(record["id"]) for record in read(path)}
        others = [r["answer"] for r in read(held_out) if str(r["id"]) not in own]
        chance = held_out_chance(cross(others, golds), 0.0, np.zeros(len(golds)))
        found[f"held out ({len(others):,} answers)"] = curve(chance)
    return found


def mathvista(path: Path) -> dict[str, list[float]]:
    """Curves of the free-form problems."""
    records = [record for record in read(path) if record["question_type"] == "free_form"]
    golds = [
        Gold(
            record["answer"],
            record["answer_type"],
            record["unit"],
            None if record["precision"] is None else int(record["precision"]),
            question=record["question"],
        )
        for record in records
    ]
    return {f"leave one out ({len(golds)} problems)": leave_one_out(golds)}


def leave_one_out(golds: list[Gold]) -> list[float]:
    """The curve of a guesser that draws from the other problems' answers."""
    right = cross([gold.answer for gold in golds], golds)
    return curve(leave_one_out_chance(right, 0.0, np.zeros(len(golds))))


def curve(chance: np.ndarray) -> list[float]:
    """Mean pass@k over problems."""
    return [float(value) for value in guessed_pass_at_k(chance, KS).mean(axis=0)]


def read(path: Path) -> list[dict[str, Any]]:
    """Records of a JSONL file, or the values of a JSON mapping or list."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    content = json.loads(text)
    return list(content.values()) if isinstance(content, dict) else content


if __name__ == "__main__":
    main()
