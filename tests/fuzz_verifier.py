"""Mutations of every written case, graded without the last line of defence.

Reports every exception by type and place, with the smallest case that raised it, and the outputs
that took longest, in processor time:

    python tests/fuzz_verifier.py [--count 200000] [--seed 1] [--reasoning] [--from FILE.jsonl …]

Cases are those of tests/verifier/cases; files given by --from (output and answer or gold a line)
are mutated too.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappush, heappushpop
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from verifier.test_cases import lines, read_case

from vlm_boundary.verifier import Gold, Grader, Output, Verdict
from vlm_boundary.verifier import grader as grader_module

LIMIT_SECONDS = 20
_LONGEST = 20_000
_TOKENS = (
    r"\frac{ \sqrt{ \sqrt[3]{ \boxed{ \text{ \mathrm{ \left( "
    r"\right) \left[ \begin{pmatrix} \end{cases} "
    r"\begin{array}{c} \\ & \pm \approx \neq \leq \in \cup "
    r"\infty \cdot \times \div \pi ^ _ { } ( ) [ ] "
    r"| ! % ° $ $$ ` ** # , ; : . .. … - − — + / = < > ~ "
    r"' '' \" \  \, \! \; \{ \} \% \$ \circ ^{ ^{\circ} "
    r"<think> </think> <answer> </answer> <|im_end|> [THINK] "
    r"◁think▷ e E i x 2x 1e9 0 00 0.0 .5 5. 1/2 1/0 "
    r"3:45 12:30 1,000 1,00 A (B) C. yes No none either or "
    r"and to not than about is are = == != the answer "
    "one two half third dozen hundred million percent cm "
    "m² ft kg °C ∠ △ √ ∛ π ∞ ² ³ ⁻¹ ½ ⅔ ٣ ３ 五 二十 或 "
    "和 比 等于 答案是 因此 。 ， ： （ ） 【 】 １ Ⅳ 𝟓 ① ㊿ "
    "\u200b \u202e \ufeff \u0000 \x0c \x1b \r\n \n\n \t "
    "\ud800 Answer: Question: User: Therefore So Wait, But Actually, The final answer is"
).split(" ")
_TOKENS += ["\n", "\n\n", "\r\n", "\x0c", "\t", " ", "\u2028", "\x00", "I hope", "\n| a | b |\n"]

Case = tuple[Gold, str, bool]
Mutation = Callable[[Random, str, str], str]


def _span(random: Random, text: str, most: int = 40) -> tuple[int, int]:
    start = random.randint(0, len(text))
    return start, min(len(text), start + random.randint(0, most))


def _delete(random: Random, text: str, other: str) -> str:
    start, end = _span(random, text)
    return text[:start] + text[end:]


def _duplicate(random: Random, text: str, other: str) -> str:
    start, end = _span(random, text)
    return text[:end] + text[start:end] * random.randint(1, 3) + text[end:]


def _swap(random: Random, text: str, other: str) -> str:
    (a, b), (c, d) = sorted((_span(random, text), _span(random, text)))
    return text[:a] + text[c:d] + text[b : max(b, c)] + text[a:b] + text[max(b, d) :]


def _splice(random: Random, text: str, other: str) -> str:
    start, end = _span(random, other, 200)
    place = random.randint(0, len(text))
    return text[:place] + other[start:end] + (text[place:] if random.random() < 0.5 else "")


def _insert(random: Random, text: str, other: str) -> str:
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(text))
        text = text[:place] + random.choice(_TOKENS) + text[place:]
    return text


def _replace(random: Random, text: str, other: str) -> str:
    start, end = _span(random, text, 6)
    return text[:start] + random.choice(_TOKENS) + text[end:]


def _foreign_digits(random: Random, text: str, other: str) -> str:
    zero = random.choice((0x0660, 0x06F0, 0x0966, 0xFF10, 0x1D7CE, 0x1D7D8, 0x2080, 0x2460))
    return text.translate({ord(str(digit)): zero + digit for digit in range(10)})


def _control(random: Random, text: str, other: str) -> str:
    place = random.randint(0, len(text))
    return text[:place] + chr(random.choice((*range(32), 127, 0x200D, 0xFFFF))) + text[place:]


def _repeat(random: Random, text: str, other: str) -> str:
    start, end = _span(random, text, 12)
    part = random.choice((text[start:end], random.choice(_TOKENS))) or "("
    times = random.choice((20, 100, 1000, 5000))
    return text[:end] + (part * times)[:_LONGEST] + text[end:]


def _truncate(random: Random, text: str, other: str) -> str:
    return text[: random.randint(0, len(text))]


def _character(random: Random, text: str, other: str) -> str:
    place = random.randint(0, len(text))
    return text[:place] + chr(random.randint(0, 0xD7FF)) + text[place + random.randint(0, 1) :]


def _boxed(random: Random, text: str, other: str) -> str:
    return f"\\boxed{{{text}}}"


MUTATIONS: tuple[Mutation, ...] = (
    _delete,
    _duplicate,
    _swap,
    _splice,
    _insert,
    _insert,
    _replace,
    _foreign_digits,
    _control,
    _repeat,
    _truncate,
    _character,
    _boxed,
)


def written(files: Sequence[Path] = ()) -> list[Output]:
    """What is mutated: every written case, and the lines of files."""
    found = [read_case(line)[1] for _, _, line in lines()]
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            answer = row.get("answer", row.get("gold"))
            gold = Gold(
                answer if isinstance(answer, str) else json.dumps(answer),
                row.get("answer_type"),
                unit=row.get("unit"),
                choices=tuple(row.get("choices") or ()),
                question=row.get("question") or "",
            )
            found.append(Output(row["output"], gold, row.get("finish_reason")))
    return found


def mutants(seeds: Sequence[Output], seed: int) -> Iterator[Output]:
    """Outputs and gold answers that nobody wrote, without end."""
    random = Random(seed)
    while True:
        output, other = random.choice(seeds), random.choice(seeds)
        text, gold = output.text, output.target()
        if random.random() < 0.1:
            gold = other.target()
        if random.random() < 0.15:  # another's text, boxed: deep in the reader
            text = f"\\boxed{{{other.target().answer}}}"
        for _ in range(random.randint(1, 4)):
            text = random.choice(MUTATIONS)(random, text, other.text)[:_LONGEST]
        if random.random() < 0.3:
            answer = random.choice(MUTATIONS)(random, gold.answer, other.target().answer)
            gold = replace(gold, answer=answer[:_LONGEST])
        reason, thinking = random.choice(("stop", "stop", "length", None)), random.random() < 0.05
        yield Output(text, gold, reason, thinking_open=thinking)


class Slow(BaseException):
    """An output took longer than anybody waits."""


@dataclass
class Found:
    """What grading mutants came to."""

    graded: int = 0
    seconds: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, Output] = field(default_factory=dict)
    slowest: list[tuple[float, int, Output]] = field(default_factory=list)

    def grade(
        self, output: Output, also: Callable[[Output, Verdict], object] | None = None
    ) -> None:
        """Grade one without the last line of defence, and note what it raises and how long."""
        started = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_SECONDS)
        try:
            made = grader_module._grade(*Grader.key(output))
            if isinstance(made, Verdict):
                self.verdicts[made.status] += 1
                if also:
                    also(output, made)
            else:
                self.verdicts["symbolic"] += 1
        except (Exception, Slow) as error:  # noqa: BLE001  # to find what they are is the purpose
            self._raised(output, error)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        spent = time.process_time() - started
        self.graded += 1
        self.seconds += spent
        entry = (spent, self.graded, output)
        (heappush if len(self.slowest) < 5 else heappushpop)(self.slowest, entry)

    def _raised(self, output: Output, error: BaseException) -> None:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        inner = [
            f for f in traceback.extract_tb(error.__traceback__) if "vlm_boundary" in f.filename
        ]
        frame = inner[-1] if inner else frame
        name = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        self.raised[name] += 1
        known = self.smallest.get(name)
        if known is None or _size(output) < _size(known):
            self.smallest[name] = output

    def report(self) -> str:
        """All of it, for people."""
        rate = self.graded / self.seconds
        said = [f"{self.graded:,} outputs graded, {rate:,.0f} a second of processor time"]
        said += [f"  {status:12} {count:9,}" for status, count in self.verdicts.most_common()]
        said.append(f"{self.raised.total():,} raised")
        for name, count in self.raised.most_common():
            case = self.smallest[name]
            said.append(f"  {count:6,} {name}")
            said.append(
                f"         gold   {case.target().answer[:300]!r} {case.target().answer_type}"
            )
            said.append(f"         output {case.text[:300]!r} ({len(case.text):,} characters)")
        said.append("slowest")
        for spent, _, case in sorted(self.slowest, key=lambda entry: -entry[0]):
            said.append(f"  {spent:6.2f} s, {len(case.text):,} characters: {case.text[:120]!r}")
            said.append(f"          gold {case.target().answer[:120]!r}")
        return "\n".join(said)


def _size(output: Output) -> int:
    return len(output.text) + len(output.target().answer)


def _alarm(number: int, frame: FrameType | None) -> None:
    raise Slow


def fuzz(count: int, seed: int, files: Sequence[Path] = (), also: Any = None) -> Found:
    """Grade so many mutants."""
    signal.signal(signal.SIGVTALRM, _alarm)
    found = Found()
    for _, output in zip(range(count), mutants(written(files), seed), strict=False):
        found.grade(output, also)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reasoning", action="store_true", help="check the reasoning, too")
    parser.add_argument("--from", dest="files", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    also = None
    if options.reasoning:
        from vlm_boundary.reasoning.files import check_output

        also = check_output
    print(fuzz(options.count, options.seed, options.files, also).report())


if __name__ == "__main__":
    main()
