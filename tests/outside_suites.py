"""The verifier on the test suites of others: their cases, their verdicts, and where ours differ.

Takes a folder with checkouts (or one of them), reads the cases out of their test files without
importing or running any of their code, grades them, and prints counts and every difference:

    python tests/outside_suites.py FOLDER

Known are Math-Verify, lighteval, NeMo-Skills, inspect_ai, TRL and open-r1. Differences that were
looked into stand in tests/verifier/judged.jsonl, by a hash of the case, with who is right and
why; docs/verifier-suites.md is made of it by --table.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlm_boundary.verifier import Gold, Grader, Output, Tolerance, Verdict

JUDGED = Path(__file__).parent / "verifier" / "judged.jsonl"
_VERDICTS = {"correct": True, "C": True, "incorrect": False, "I": False}
_SUITES = {  # which test files say something of a final answer
    "math-verify": "tests/test_*.py",
    "lighteval": "tests/unit/metrics/test_extractive_match.py",
    "nemo-skills": "tests/test_math_equal.py",
    "inspect_ai": "tests/scorer/test_math.py",
    "trl": "tests/test_rewards.py",
    "open-r1": "tests/test_rewards.py",
}


class NotLiteralError(Exception):
    """Something that is only known when their code runs."""


@dataclass(frozen=True)
class Case:
    """An output and a gold answer, and whether a suite holds the one for the other."""

    suite: str
    place: str
    gold: str
    output: str
    theirs: bool | None
    decimals: int | None = None

    @property
    def key(self) -> str:
        """A hash of what is graded."""
        said = "\0".join((self.gold, self.output, str(self.decimals)))
        return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()

    def graded(self) -> Output:
        """What the verifier is asked."""
        tolerance = None if self.decimals is None else Tolerance("decimals", self.decimals)
        return Output(self.output, Gold(self.gold, tolerance=tolerance), "stop")


@dataclass(frozen=True)
class _Asked:
    """A call of a grading function whose arguments are known."""

    gold: str
    output: str
    decimals: int | None = None


def cases(root: Path) -> list[Case]:
    """Every case of the suites in a folder, each once."""
    found: dict[str, Case] = {}
    for suite, pattern in _SUITES.items():
        for checkout in sorted({root, *root.iterdir()}):
            if checkout.name.lower() == suite and checkout.is_dir():
                for path in sorted(checkout.glob(pattern)):
                    for case in _of_file(suite, path, path.relative_to(checkout)):
                        found.setdefault(f"{suite} {case.key} {case.theirs}", case)
                for path in sorted(checkout.glob("tests/scorer/math_cases.json")):
                    for place, row in enumerate(json.loads(path.read_text(encoding="utf-8"))):
                        where = f"{path.relative_to(checkout)}[{place}]"
                        theirs = _VERDICTS[row["expected"]]
                        case = Case(suite, where, row["target"], row["output"], theirs)
                        found.setdefault(f"{suite} {case.key} {case.theirs}", case)
    return list(found.values())


def _of_file(suite: str, path: Path, name: Path) -> Iterator[Case]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "test" in node.name:
            for place, names in enumerate(_rows(node)):
                where = f"{name}::{node.name}" + (f"[{place}]" if names else "")
                for asked, theirs in _Walk(names).asserted(node.body):
                    yield Case(suite, where, asked.gold, asked.output, theirs, asked.decimals)


def _rows(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[dict[str, Any]]:
    """The names that each row of a test's tables gives."""
    tables: list[list[dict[str, Any]]] = []
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize"):
            named, table = decorator.args[:2]
            names = ast.literal_eval(named)
            names = [n.strip() for n in names.split(",")] if isinstance(names, str) else names
            rows = []
            for row in table.elts if isinstance(table, ast.List | ast.Tuple) else []:
                parts = row.elts if len(names) > 1 and isinstance(row, ast.Tuple) else [row]
                rows.append(dict(zip(names, parts, strict=False)))
            tables.append(rows)
    for combined in itertools.product(*tables):
        known: dict[str, Any] = {}
        for given in combined:
            for name, node in given.items():
                try:
                    known[name] = _Walk({}).value(node)
                except NotLiteralError:
                    continue
        yield known


class _Walk:
    """Goes through a test's statements and works out what is literal in them."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = dict(names)

    def asserted(self, body: Sequence[ast.stmt]) -> Iterator[tuple[_Asked, bool | None]]:
        """What is asked of a grading function, and what it is to say."""
        for statement in body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                try:
                    self.names[statement.targets[0].id] = self.value(statement.value)
                except NotLiteralError:
                    self.names.pop(statement.targets[0].id, None)
            elif isinstance(statement, ast.Assert):
                yield from self._assert(statement.test)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                call = statement.value
                if ast.unparse(call.func) == "self.assertEqual":
                    yield from self._equal(call.args[0], call.args[1])

    def _assert(self, test: ast.expr) -> Iterator[tuple[_Asked, bool | None]]:
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.Is):
            yield from self._equal(test.left, test.comparators[0])
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield from self._equal(test.operand, ast.Constant(False))
        else:
            yield from self._equal(test, ast.Constant(True))

    def _equal(self, left: ast.expr, right: ast.expr) -> Iterator[tuple[_Asked, bool | None]]:
        try:
            asked, said = self.value(left), self.value(right)
        except NotLiteralError:
            return
        several = isinstance(asked, list) and isinstance(said, list)
        pairs = zip(asked, said, strict=False) if several else [(asked, said)]
        for one, verdict in pairs:
            if isinstance(one, _Asked):
                verdict = _VERDICTS.get(verdict, verdict) if verdict.__hash__ else None
                if verdict is None or verdict in (0, 1):
                    yield one, None if verdict is None else bool(verdict)

    def value(self, node: ast.expr) -> Any:
        """A literal, or what is asked by a call."""
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.names[node.id]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.List | ast.Tuple):
            values = [self.value(each) for each in node.elts]
            return values if isinstance(node, ast.List) else tuple(values)
        if isinstance(node, ast.Dict) and all(node.keys):
            keys = [self.value(key) for key in node.keys if key]
            return dict(zip(keys, map(self.value, node.values), strict=True))
        if isinstance(node, ast.Attribute) and node.attr in ("status", "value"):
            return self.value(node.value)
        if isinstance(node, ast.Subscript):
            return self._part(self.value(node.value), self.value(node.slice))
        if isinstance(node, ast.Call):
            return self._call(node)
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise NotLiteralError from None

    def _part(self, whole: Any, place: Any) -> Any:
        try:
            return whole[place]
        except (LookupError, TypeError):
            raise NotLiteralError from None

    def _call(self, node: ast.Call) -> Any:
        called = ast.unparse(node.func)
        if called in ("int", "parse", "str") and node.args:
            return self.value(node.args[0])
        known = {word.arg: word.value for word in node.keywords if word.arg}
        if called == "compare_strings" and not known.keys() & {"strict", "allow_set_relation_comp"}:
            gold, output = (self.value(argument) for argument in node.args[:2])
            decimals = self.value(known["precision"]) if "precision" in known else None
            return _asked(gold, output, decimals)
        if called == "verify" and len(node.args) == 2 and not known:
            return _asked(*(self.value(argument) for argument in node.args))
        if called == "math_equal":
            gold, answer = (self.value(argument) for argument in node.args[:2])
            return _asked(gold, f"\\boxed{{{answer}}}")
        if called == "_score_answer":
            answer, targets = (self.value(argument) for argument in node.args[:2])
            if len(targets) == 1:
                return _asked(targets[0], answer)
        if called in ("accuracy_reward", "reasoning_accuracy_reward") and not known:
            completions, golds = (self.value(argument) for argument in node.args[:2])
            texts = [completion[0]["content"] for completion in completions]
            return [_asked(gold, text) for gold, text in zip(golds, texts, strict=True)]
        raise NotLiteralError


def _asked(gold: Any, output: Any, decimals: int | None = None) -> _Asked:
    if not isinstance(gold, str | int | float) or not isinstance(output, str | int | float):
        raise NotLiteralError
    return _Asked(str(gold), str(output), decimals)


def graded(found: Sequence[Case]) -> list[Verdict]:
    """Our verdicts, on however busy a machine."""
    with Grader(deadline=20.0) as grader:
        return grader.grade([case.graded() for case in found])


def judged() -> dict[str, dict[str, Any]]:
    """What was said of differences, by the hash of their case."""
    if not JUDGED.is_file():
        return {}
    rows = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    return {row["case"]: row for row in rows}


_MARKS = {True: "right", False: "wrong", None: "undecided"}
_JUDGES = ("theirs", "either", "ours")


def table(
    found: Sequence[Case], verdicts: Sequence[Verdict], known: dict[str, dict[str, Any]]
) -> str:
    """The differences that were looked into, as Markdown: counts by suite, cases by reason."""
    lines = ["| suite | cases | the same | ours right | theirs right | either |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    reasons: dict[tuple[str, str], list[str]] = {}
    for suite in _SUITES:
        counts: Counter[str] = Counter()
        for case, verdict in zip(found, verdicts, strict=True):
            if case.suite != suite:
                continue
            if case.theirs is verdict.correct:
                counts["same"] += 1
                continue
            said = known[case.key]
            counts[said["right"]] += 1
            where = f"{suite} `{case.place.removeprefix('tests/').rpartition('/')[2]}`"
            where = where.replace("test_all.py::", "").replace("test_extractive_match.py::", "")
            change = f"{where} {_MARKS[case.theirs]} → {_MARKS[verdict.correct]}"
            reasons.setdefault((said["right"], said["why"]), []).append(change)
        total = sum(case.suite == suite for case in found)
        shown = " | ".join(str(counts[name]) for name in ("same", "ours", "theirs", "either"))
        lines.append(f"| {suite} | {total} | {shown} |")
    lines += ["", "| who is right, and why | cases (theirs → ours) |", "|---|---|"]
    for (right, why), changed in sorted(reasons.items(), key=lambda r: _JUDGES.index(r[0][0])):
        lines.append(f"| **{right}**: {why} | {'; '.join(changed)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="differences already judged, too")
    parser.add_argument("--table", action="store_true", help="print the page of docs instead")
    options = parser.parse_args()
    found = cases(options.folder)
    verdicts, known = graded(found), judged()
    if options.table:
        print(table(found, verdicts, known))
        return
    for suite in _SUITES:
        counts = Counter(
            (case.theirs, verdict.correct)
            for case, verdict in zip(found, verdicts, strict=True)
            if case.suite == suite
        )
        same = sum(number for (theirs, ours), number in counts.items() if theirs is ours)
        total = counts.total()
        print(f"{suite}: {total} cases, {same} the same", end="")
        for (theirs, ours), number in sorted(counts.items(), key=str):
            if theirs is not ours:
                print(f"; theirs {theirs}, ours {ours}: {number}", end="")
        print()
    for case, verdict in zip(found, verdicts, strict=True):
        if case.theirs is not verdict.correct and (options.all or case.key not in known):
            print(f"\n{case.suite} {case.place} {case.key}")
            print(
                f"  theirs {case.theirs}, ours {verdict.correct} ({verdict.rule}); {verdict.flags}"
            )
            print(f"  gold   {case.gold!r}\n  output {case.output!r}")
            if case.key in known:
                print(f"  {known[case.key]['right']}: {known[case.key]['why']}")


if __name__ == "__main__":
    main()
