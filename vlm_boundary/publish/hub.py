"""A publication on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from vlm_boundary.errors import UserError, reason_of


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
