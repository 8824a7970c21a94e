"""A publication on the Hugging Face hub, and what a model's page there shows of it."""

from __future__ import annotations

import io
from pathlib import Path

from vlm_boundary.benchmarks import BenchmarkConfig
from vlm_boundary.config import ExperimentConfig
from vlm_boundary.counted import counted
from vlm_boundary.errors import UserError, reason_of
from vlm_boundary.publish.item import Item, text_item
from vlm_boundary.publish.settings import hub_data_set
from vlm_boundary.records.analysis import Analysis
from vlm_boundary.store import RunDirectory


def upload(folder: Path, repository: str, *, private: bool) -> str:
    """Make a data set of a folder; files of it that are no longer there go.

    Args:
        repository: owner/name; made if it is not there.
        private: whether a new one is private; one that is there stays as it is.

    Returns:
        Its address.

    Raises:
        UserError: the hub cannot be reached, or does not allow it.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    hub = HfApi()
    try:
        url = hub.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            repo_type="dataset",
            commit_message="Published by vlm_boundary",
            ignore_patterns=[".*"],
            delete_patterns=["*"],
        )
    except (HfHubHTTPError, HFValidationError, LocalTokenNotFoundError) as error:
        raise UserError(
            f"--to {repository}: {reason_of(error)} (log in with 'hf auth login', or set HF_TOKEN)"
        ) from None
    except HfHubHTTPError.__bases__ as error:  # of the HTTP client, which the library has changed
        raise UserError(
            f"--to {repository}: the hub cannot be reached: {reason_of(error)}"
        ) from None
    return str(url)


def write_results(
    run: RunDirectory,
    experiment: ExperimentConfig,
    analysis: Analysis,
    repository: str | None,
) -> list[Item]:
    """One YAML per arm, for the folder `.eval_results` of its model's repository.

    An entry is pass@1 in % on a benchmark whose data set is on the hub; `repository`, the data set
    of the responses, is its source.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml
    from ruamel.yaml import YAML

    manifest = run.read_manifest()
    yaml = YAML()
    items = []
    for arm in experiment.arms:
        drawn = experiment.arm_sampling(arm)
        replayed = experiment.arm_engine(arm).kind == "replay"
        how = "sampled elsewhere" if replayed else f"temperature {drawn.temperature:g}"
        entries = []
        for name, found in analysis.benchmarks.items():
            config = BenchmarkConfig.model_validate(manifest.benchmarks[name].config)
            known, data_set = found.arms.get(arm), hub_data_set(config)
            if data_set is None or known is None:
                continue
            entry = known.pass_at_k[1]
            if entry.estimate is None:
                continue
            entries.append(
                EvalResultEntry(
                    dataset_id=data_set,
                    task_id=name,
                    value=round(100 * entry.estimate, 2),
                    source_url=repository and f"https://huggingface.co/datasets/{repository}",
                    notes=f"pass@1 over {counted(drawn.n, 'sample')} a problem, {how}, "
                    f"{counted(entry.problems, 'problem')}",
                )
            )
        if entries:
            text = io.StringIO()
            yaml.dump(eval_result_entries_to_yaml(entries), text)
            what = f"pass@1 of {arm} for its model's page"
            items.append(text_item(f"eval_results/{arm}.yaml", what, text.getvalue()))
    return items
