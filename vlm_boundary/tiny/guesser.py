"""A checkpoint that knows nothing and guesses numbers: what luck alone does to pass@k."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration

NOTE = (
    "a stand-in with random weights, never trained, that writes digits at random: "
    "what it gets right is luck"
)
# The tokens that it writes: digits, and what ends a number or the response.
GUESSES = "0123456789\n"


def build_guesser(seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """Random weights whose next token is nearly always a digit, a line's end or the turn's end.

    Input and output embeddings are one matrix. Giving the wanted tokens one common direction makes
    each of them likely after any other, and after the line's end with which a prompt ends, as long
    as the layers in between, picture and all, change the last token's embedding only a little.
    """
    import torch

    from vlm_boundary.tiny.architecture import build_model, build_processor, token_id

    model = build_model(seed)
    tokenizer = build_processor().tokenizer
    wanted = [*tokenizer(GUESSES).input_ids, token_id("<|im_end|>")]
    embeddings = model.get_input_embeddings().weight
    with torch.no_grad():
        direction = torch.randn(embeddings.shape[1])
        # Length 0.6 gives logits near 7 after the final norm; what remains of their own noise keeps
        # a token from calling for itself.
        embeddings[wanted] *= 0.1
        embeddings[wanted] += 0.6 * direction / direction.norm()
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight *= 0.02
            layer.mlp.down_proj.weight *= 0.02
    return model
