"""The command, its refusals, and the pages that need no browser."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import tomllib
from collections.abc import MutableMapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from demo_parts import make_demo_run, served
from required import needs
from ruamel.yaml import YAML

from vlm_boundary.cli import cli
from vlm_boundary.cli.demo import _runs_in
from vlm_boundary.demo.access import Access, Guard, _host_of, usual_access
from vlm_boundary.demo.codes import Bit, has
from vlm_boundary.demo.figures import figures_page, runs_page
from vlm_boundary.demo.index import RunIndex
from vlm_boundary.demo.pages import _size
from vlm_boundary.demo.pictures import picture, thumbnail
from vlm_boundary.demo.serve import _nothing_collected, _set_environment
from vlm_boundary.errors import UserError
from vlm_boundary.reasoning.people.labels import Label, SampleKey, add_label, read_labels
from vlm_boundary.records.manifest import RunBenchmark

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{run}", "--host", "0.0.0.0"], "give --auth NAME:PASSWORD"),
        (["{run}", "--auth", "anna"], "give NAME:PASSWORD"),
        (["{run}", "--auth", "anna:"], "give NAME:PASSWORD"),
        (["{run}/samples"], "not a run directory"),
        ([], "name a RUN"),
        (["--runs-dir", "{run}"], "no folder in it is a run"),
        (["{run}", "--allow-frame", "x; y"], "give an origin"),
        (["{run}", "{run}"], "another run is called 'run' too"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    needs("gradio")
    run = make_demo_run(tmp_path / "run", problems=1, samples=2)
    asked = [argument.format(run=run.path) for argument in arguments]
    done = CliRunner().invoke(cli, ["demo", *asked])
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_password_is_needed_beyond_this_machine() -> None:
    with pytest.raises(UserError, match="ssh -L"):
        Access(host="0.0.0.0")
    assert Access(host="0.0.0.0", auth=(("anna", "word"),)).labelled
    assert not Access(host="0.0.0.0", public=True).labelled


@pytest.mark.parametrize(
    ("settings", "name", "answered"),
    [
        ({}, "localhost", True),
        ({}, "evil.example", False),
        ({}, "LocalHost", True),
        ({"hosts": ("lab.example",)}, "lab.example", True),
        ({"hosts": ("Lab.example",)}, "lab.Example", True),
        ({"hosts": ("lab.example",)}, "evil.example", False),
        ({"hosts": ("*",)}, "evil.example", True),
        ({"host": "0.0.0.0", "public": True}, "anything.example", True),
        ({"host": "0.0.0.0", "public": True, "hosts": ("lab.example",)}, "evil.example", False),
    ],
)
def test_under_which_names_the_page_answers(
    settings: dict[str, Any], name: str, answered: bool
) -> None:
    assert Access(**settings).answers_to(name) is answered


def test_what_would_open_the_server_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    switches = ("VIBE_MODE", "PROFILING", "RUN_HISTORY", "HOT_RELOAD", "SHARE", "MCP_SERVER")
    found = {f"GRADIO_{name}": "1" for name in switches}
    monkeypatch.setattr("vlm_boundary.demo.serve.os.environ", found)
    _set_environment()
    assert set(found) == {"GRADIO_ANALYTICS_ENABLED", "NO_PROXY", "no_proxy"}


def test_what_was_kept_from_the_collector_is_given_back_when_the_server_ends(
    tmp_path: Path,
) -> None:
    needs("gradio")
    run = make_demo_run(tmp_path / "run", problems=1, samples=2)
    with served(run.path):
        assert gc.get_freeze_count() > 0
        assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_start_that_fails_keeps_nothing_from_the_collector() -> None:
    before = gc.get_freeze_count()
    with pytest.raises(UserError, match="no port"), _nothing_collected():
        raise UserError("no port")
    assert gc.get_freeze_count() == before
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gradio_api/vibe-edit/", 403),
        ("/gradio_api/undo-vibe-edit", 403),
        ("/gradio_api/vibe-code", 403),
        ("/gradio_api/proxy=https://evil.example", 403),
        ("/gradio_api/file=/tmp/vibe.png", 200),
        ("/", 200),
    ],
)
def test_routes_that_are_closed(path: str, status: int) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def passes(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> MutableMapping[str, Any]:
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost")]
    open_to_all = SimpleNamespace(auth=None)
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "app": open_to_all}
    asyncio.run(Guard(passes, Access())(scope, receive, send))
    assert sent[0]["status"] == status


def test_in_origins_case_does_not_count() -> None:
    access = Access(origins=("https://Lab.example",))
    assert access.takes_from("https://lab.Example")
    assert not access.takes_from("https://evil.example")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hosts": ("lab.example:80",)}, "--allow-host lab.example:80"),
        ({"frames": ("*; script-src *",)}, "--allow-frame"),
        ({"frames": ("lab.example",)}, "--allow-frame lab.example"),
        ({"origins": ("https://lab.example/page",)}, "--allow-origin"),
    ],
)
def test_names_that_are_none_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        Access(**settings)


def test_labels_go_to_the_folder_that_is_named(tmp_path: Path) -> None:
    run = make_demo_run(tmp_path / "run", problems=2, samples=2)
    access = Access(public=True, labels=tmp_path / "kept")
    assert access.labelled
    opened = RunIndex(run.path, labels=access.labels_of("run"))
    label = Label(
        sample=SampleKey(arm="rl", benchmark="made", problem_id="p0", sample_index=1),
        text_hash="0",
        verdict="valid",
        labeller="anna",
        blind=True,
    )
    add_label(opened.directory, label)
    assert [one.verdict for one in read_labels(opened.directory).labels] == ["valid"]
    assert (tmp_path / "kept" / "run" / "anna.jsonl").is_file()
    assert not (run.path / "labels").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--labels"):
        Access(labels=tmp_path / "file").labels_of("run")


def test_a_space_is_public_framed_by_its_site_and_takes_no_labels() -> None:
    named = {"SPACE_ID": "anna/demo", "SPACE_HOST": "anna-demo.hf.space,demo.example"}
    access = usual_access(named)
    assert (access.host, access.port, access.public) == ("0.0.0.0", 7860, True)
    assert access.origins == ("https://anna-demo.hf.space", "https://demo.example")
    assert access.frames == ("https://huggingface.co",)
    assert not access.labelled
    assert usual_access({}) == Access()


def test_the_front_matter_names_the_gradio_that_is_locked() -> None:
    text = (REPOSITORY / "demo" / "README.md").read_text()
    _, matter, _ = text.split("---\n", 2)
    said = YAML(typ="safe").load(matter)
    lock = (REPOSITORY / "requirements" / "demo.lock").read_text()
    assert f"gradio=={said['sdk_version']}\n" in lock
    assert said["sdk"] == "gradio"
    assert (REPOSITORY / "demo" / said["app_file"]).is_file()
    cpu = (REPOSITORY / "requirements" / "cpu.lock").read_text().replace("_", "-")
    wanted = (REPOSITORY / "demo" / "requirements.txt").read_text().splitlines()
    pinned = [one for one in wanted if "==" in one and not one.startswith("torchvision")]
    assert {one for one in pinned if f"{one}\n" not in cpu} == set()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert set(project["dependencies"]) <= set(wanted)
    markdown = [one for one in project["optional-dependencies"]["demo"] if "gradio" not in one]
    assert set(markdown) <= set(wanted)


def test_the_run_beside_the_demo_is_small_and_whole() -> None:
    folder = REPOSITORY / "demo" / "runs" / "embedded"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    run = RunIndex(folder)
    assert run.conditions == ["full", "no_image"]
    for arm in ("base", "rl", "distilled"):
        for condition, n in (("full", 16), ("no_image", 8)):
            codes = run.codes(arm, "procedural", condition)
            assert (has(codes, Bit.GRADED).sum(axis=1) == n).all()
    assert run.notices() == []


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("127.0.0.1:7860", "127.0.0.1"),
        ("localhost", "localhost"),
        ("[::1]:7860", "::1"),
        ("evil.example:80", "evil.example"),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert _host_of(header) == name


def test_pictures_come_from_the_run_alone(tmp_path: Path) -> None:
    run = make_demo_run(tmp_path / "run", problems=1, samples=2)
    [name] = [path.name for path in run.images.iterdir()]
    secret = tmp_path / "secret.png"
    secret.write_bytes((run.images / name).read_bytes())
    (run.images / "link.png").symlink_to(secret)
    (run.images / "text.png").write_text("<svg onload=alert(1)>")
    for show in (thumbnail, picture):
        found = show(run.images, name)
        assert found is not None
        assert found.startswith("data:image/webp;base64,")
        for other in ("../secret.png", str(secret), "link.png", "text.png", "none.png", ""):
            assert show(run.images, other) is None


def test_no_folder_of_a_run_leads_out_of_it(tmp_path: Path) -> None:
    run = make_demo_run(tmp_path / "run", problems=1, samples=2)
    outside = tmp_path / "outside"
    run.images.rename(outside)
    run.images.symlink_to(outside)
    (outside / "secret.svg").write_text("<svg/>")
    (outside / "contents.json").write_text('{"figures": [{"name": "secret", "title": "x"}]}')
    run.report.symlink_to(outside)
    index = RunIndex(run.path)
    [problem] = index.problems["made"]
    assert thumbnail(run.images, problem.pictures[0]) is None
    assert picture(run.images, problem.pictures[0]) is None
    assert "no figures yet" in figures_page(index)
    assert _size(index, problem.pictures[0], None) == ", which is missing here"


def test_hidden_folders_are_no_runs(tmp_path: Path) -> None:
    for name in ("run", ".run.tmp"):
        make_demo_run(tmp_path / name, problems=1, samples=2)
    assert _runs_in(tmp_path) == (tmp_path / "run",)


def test_runs_beside_each_other(tmp_path: Path) -> None:
    paths = [make_demo_run(tmp_path / name, samples=4).path for name in ("one", "two")]
    runs = {path.name: RunIndex(path) for path in paths}
    page = runs_page(runs)
    assert page.count("<tr>") == 1 + 4
    # base: 4 of 6 problems solved, each once in 4 samples.
    assert "<td class=vb-num>16.7%</td><td class=vb-num>66.7%</td><td class=vb-num>4</td>" in page
    assert "no figures yet" in figures_page(runs["one"])
    other = {"made": RunBenchmark(content="other")}
    runs["two"].manifest = runs["two"].manifest.model_copy(update={"benchmarks": other})
    assert "not comparable" in runs_page(runs)


def test_figures_stand_in_the_reports_order_with_its_titles_and_captions(tmp_path: Path) -> None:
    run = make_demo_run(tmp_path / "drawn", problems=1)
    (run.report / "figures").mkdir(parents=True)
    for name in ("cost", "pass_at_k", "unnamed"):
        (run.report / "figures" / f"{name}.svg").write_text("<svg/>")
    said = {"pass_at_k": "pass@k", "cost": "a <b>", "../secret": "gone"}
    figures = [{"name": name, "title": title} for name, title in said.items()]
    figures[1]["caption"] = "Tokens <i>spent</i>."  # reports of before say none
    (run.report / "contents.json").write_text(json.dumps({"figures": figures}))
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", figures_page(RunIndex(run.path)))
    assert [" ".join(re.sub("<[^>]+>", "", one).split()) for one in captions] == [
        "pass@k pass_at_k",
        "a &lt;b&gt; Tokens &lt;i&gt;spent&lt;/i&gt;. cost",
        "unnamed",
    ]
