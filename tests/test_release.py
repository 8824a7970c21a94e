"""What says which version this is says the same."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import date
from pathlib import Path

from ruamel.yaml import YAML

from vlm_boundary import __version__

REPOSITORY = Path(__file__).parents[1]


def test_version_changelog_and_citation_agree() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+) \((\S+)\)$", changelog, re.MULTILINE)
    assert len(headings) == changelog.count("\n## ")
    released = [(version, day) for version, day in headings if day != "unreleased"]
    assert headings[len(headings) - len(released) :] == released  # only the newest is open
    assert [version for version, _ in headings] == sorted(
        (version for version, _ in headings), key=_parts, reverse=True
    )
    version, day = released[0]
    assert version == __version__
    citation = YAML(typ="safe").load(REPOSITORY / "CITATION.cff")
    assert (citation["version"], citation["date-released"]) == (version, date.fromisoformat(day))


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def test_the_release_workflow_compares_the_tag_with_the_version() -> None:
    """Its line, on this tag and another one, against the file that the build reads."""
    workflow = YAML(typ="safe").load(REPOSITORY / ".github" / "workflows" / "release.yml")
    (step,) = [s for s in workflow["jobs"]["build"]["steps"] if "tag is the version" in str(s)]
    for tag, fits in ((f"v{__version__}", True), (f"v{__version__}1", False), ("v", False)):
        done = subprocess.run(
            ["bash", "-c", step["run"]],
            cwd=REPOSITORY,
            env=os.environ | {"GITHUB_REF_NAME": tag},
            check=False,
        )
        assert (done.returncode == 0) is fits, tag
