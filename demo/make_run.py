"""Make the small run beside the demo anew.

    vlm-boundary run demo/run.yaml && python demo/make_run.py

copies what the demo shows of runs/embedded (its logs, statistics and page are left out, and most
figures) to demo/runs/embedded, without the folder that the checkpoints had on the machine.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from vlm_boundary.store import RunDirectory

KEPT = ("problems", "images", "samples", "verdicts", "validity", "report/contents.json")
FIGURES = ("pass_at_k", "controls")


def main() -> None:
    """Copy from runs/embedded, in place of what is there."""
    made, into = Path("runs/embedded"), Path(__file__).parent / "runs" / "embedded"
    shutil.rmtree(into, ignore_errors=True)
    for name in (*KEPT, *(f"report/figures/{figure}.svg" for figure in FIGURES)):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        if (made / name).is_dir():
            shutil.copytree(made / name, into / name, ignore=shutil.ignore_patterns(".*"))
        else:
            shutil.copyfile(made / name, into / name)
    manifest = RunDirectory(made).read_manifest()
    arms = {}
    for name, arm in manifest.arms.items():
        shipped = arm.checkpoint and replace(arm.checkpoint, folder=f"tiny:{name}")
        arms[name] = arm.model_copy(update={"checkpoint": shipped})
    RunDirectory(into).write_manifest(manifest.model_copy(update={"arms": arms}))
    size = sum(path.stat().st_size for path in into.rglob("*") if path.is_file())
    print(f"{into}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
