"""Every documented command parses and its experiment resolves; without an engine it is run."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from vlm_boundary.cli import cli
from vlm_boundary.config import load_experiment

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_FENCE = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\$\w+")  # of the shell, each a number here
_SHELL = {"|", ">", "2>", "&&", ";", "||", "&", "<", "2>&1"}


def typed(document: Path) -> Iterator[list[str]]:
    """The words of each command in a document's shell examples, up to what the shell takes."""
    for block in _FENCE.findall(document.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while "vlm-boundary" in words:
                words = words[words.index("vlm-boundary") + 1 :]
                end = next((i for i, word in enumerate(words) if word.rstrip(";") != word
                            or word in _SHELL), len(words))  # fmt: skip
                call = [word.rstrip(";") for word in words[: end + 1] if word not in _SHELL]
                yield [_VARIABLE.sub("0", word) for word in call]


def parsed(words: list[str]) -> click.Context:
    """The context in which a command would be invoked."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        context = click.Context(command, info_name=name, parent=context)
    return command.make_context(context.info_name, words, parent=context.parent)


EXAMPLES = [
    pytest.param(words, id=f"{document.name}-{' '.join(words)[:60]}")
    for document in DOCUMENTS
    for words in typed(document)
    if words and "…" not in " ".join(words) and "--help" not in words
]


def test_there_are_examples() -> None:
    names = {param.values[0][0] for param in EXAMPLES}  # type: ignore[index]
    assert len(EXAMPLES) > 35
    assert names <= set(cli.commands)
    assert len(names) > 14


@pytest.mark.parametrize("words", EXAMPLES)
def test_a_documented_command_parses_and_resolves(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    context = parsed(list(words))
    target = context.params.get("target")
    if isinstance(target, Path) and target.suffix == ".yaml" and target.is_file():
        load_experiment(target, context.params.get("overrides", ()))


# Commands that need no engine, in an order in which each finds what it needs.
_WITHOUT_ENGINE = "analyze check fsck gate grade merge passk publish queue report".split()
_STANDS_FOR = dict.fromkeys(["EXPERIMENT.yaml", "runs/NAME", "runs/mathvision-testmini"], "RUN")


def runnable() -> list[list[str]]:
    """The documented ones, each once, without what is sent to the hub."""
    calls = {
        tuple(_STANDS_FOR.get(word, word) for word in words)
        for document in DOCUMENTS
        for words in typed(document)
        if words and words[0] in _WITHOUT_ENGINE and not {"…", "--to", "--help"} & {*words}
    }
    return sorted(map(list, calls), key=lambda words: (_WITHOUT_ENGINE.index(words[0]), words))


def test_documented_commands_without_an_engine_do_their_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the demo's run and on small files; that run has no answers for the paper's queue."""
    monkeypatch.chdir(tmp_path)
    for name in ("RUN", "runs/a", "runs/b"):
        shutil.copytree(REPOSITORY / "demo" / "runs" / "embedded", name)
    Path("rules.yaml").write_text("rules: [{kind: not_lower, k: 1, points: 90}]")
    rows = [f"{model},p{i},{i % 2}" for model in ("qwen", "qwen-rl") for i in range(4)]
    Path("verdicts.csv").write_text("\n".join(["model,problem_id,correct", *rows]))
    outputs = [{"model": model, "problem_id": "p", "answer": "4", "output": "It is 4."}
               for model in ("base", "rl")]  # fmt: skip
    Path("outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in outputs))
    calls = runnable()
    assert len(calls) > 10
    for words in calls:
        done = CliRunner().invoke(cli, words)
        if words == ["queue", "RUN"]:
            assert (done.exit_code, "--max-accuracy" in done.output) == (2, True), done.output
            continue
        assert (done.exit_code, bool(done.output)) == (0, True), (words, done.output)
        for option in ("--output", "--json", "--junit", "--into", "--folder"):
            if option in words:
                assert Path(words[words.index(option) + 1]).exists(), words


def readme(section: str, language: str) -> str:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found = text.split(f"## {section}\n")[1].split("\n## ")[0]
    return str(re.findall(rf"```{language}\n(.*?)```", found, re.DOTALL)[0])


def run_all(section: str) -> list[str]:
    """Run the commands of a section of the README as they stand; what each says."""
    lines = readme(section, "bash").replace("\\\n", " ").splitlines()
    said = []
    for line in lines:
        done = CliRunner().invoke(cli, shlex.split(line, comments=True)[1:])
        assert done.exit_code == 0, done.output
        said.append(done.output)
    return said


def test_outputs_of_ones_own_are_graded_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"model": model, "problem_id": f"p{i}", "answer": "4", "output": f"so it is {4 + (i > k)}"}
        for model, right in (("base", 1), ("rl", 3))
        for i in range(6)
        for k in range(right)
    ]
    Path("outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    graded, compared = run_all("Outputs I already have")
    assert f"{len(rows)} outputs graded" in graded
    assert "rl" in compared


def test_a_benchmark_of_ones_own_is_added_by_its_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README's YAML and commands as they stand; samples are replayed, so no engine starts."""
    monkeypatch.chdir(tmp_path)
    Path("configs").symlink_to(REPOSITORY / "configs")
    Path("my-charts.yaml").write_text(readme("My benchmark", "yaml"))
    with Path("charts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "question", "file", "answer"])
        for i in range(6):
            Image.new("RGB", (40, 40), (40 * i, 0, 0)).save(f"{i}.png")
            writer.writerow([f"c{i}", f"How high is bar {i}?", f"{i}.png", i])
    validate, run = readme("My benchmark", "bash").replace("\\\n", " ").splitlines()
    done = CliRunner().invoke(cli, shlex.split(validate, comments=True)[1:])
    assert (done.exit_code, "6 problems" in done.output) == (0, True)
    samples = [{"problem_id": f"c{i}", "text": f"\\boxed{{{i % 4}}}"} for i in range(6)] * 4
    Path("samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in samples))
    replay = "engine={kind: replay, path: samples.jsonl}"
    words = [*shlex.split(run, comments=True)[1:], "-o", replay, "--n", "4"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert re.search(r"^my-charts: .*rl.*\.$", done.stdout, re.MULTILINE)
    assert Path("runs/my-charts/report/index.html").is_file()
