"""What RL trainers leave on disk: answered with the command that merges it, never unpickled."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from vlm_boundary.checkpoints import resolve_checkpoint
from vlm_boundary.errors import UserError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two steps of an EasyR1 run on two GPUs: shards that would run code if they were unpickled."""
    path = tmp_path / "easy_r1" / "my exp"
    for step in (5, 20):
        actor = path / f"global_step_{step}" / "actor"
        (actor / "huggingface").mkdir(parents=True)
        for rank in range(2):
            shard = b"cos\nabort\n(tR."  # ends the process that loads it
            (actor / f"model_world_size_2_rank_{rank}.pt").write_bytes(shard)
            (actor / f"optim_world_size_2_rank_{rank}.pt").write_bytes(shard)
        (actor / "huggingface" / "config.json").write_text("{}")
        (actor / "huggingface" / "tokenizer_config.json").write_text("{}")
        (actor / "huggingface" / "chat_template.jinja").write_text("{{ messages }}")
    return path


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as raised:
        resolve_checkpoint(str(folder))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("inside", ["", "actor", "actor/huggingface"])
def test_shards_are_answered_with_the_command_that_merges_them(run: Path, inside: str) -> None:
    step = run / "global_step_20"
    actor = shlex.quote(str(step / "actor"))
    said = refusal(step / inside)
    assert "2 training shards, not a merged model" in said
    assert f"python3 scripts/model_merger.py --local_dir {actor}" in said
    assert f"python -m verl.model_merger merge --backend fsdp --local_dir {actor}" in said


def test_verls_own_folders_are_answered_with_verls_command_alone(run: Path) -> None:
    actor = run / "global_step_20" / "actor"
    (actor / "fsdp_config.json").write_text("{}")
    said = refusal(actor)
    assert "verl.model_merger merge --backend fsdp" in said
    assert "scripts/model_merger.py" not in said


def test_megatron_folders_are_answered_with_its_backend(tmp_path: Path) -> None:
    actor = tmp_path / "global_step_3" / "actor"
    (actor / "dist_ckpt").mkdir(parents=True)
    assert "--backend megatron" in refusal(tmp_path / "global_step_3")


def test_missing_shards_are_named(run: Path) -> None:
    actor = run / "global_step_5" / "actor"
    (actor / "model_world_size_2_rank_1.pt").unlink()
    assert "of 2 shards, those of ranks 1 are missing" in refusal(actor)


def test_a_whole_training_run_is_asked_for_one_of_its_steps(run: Path) -> None:
    assert f"as in {run / 'global_step_20'}" in refusal(run)


@pytest.mark.parametrize("inside", ["", "actor", "actor/huggingface"])
def test_once_merged_every_name_leads_to_the_model(run: Path, inside: str) -> None:
    merged = run / "global_step_20" / "actor" / "huggingface"
    (merged / "model.safetensors").write_bytes(b"w")
    assert resolve_checkpoint(str(run / "global_step_20" / inside)).folder == merged
