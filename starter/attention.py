"""Attention for training on a CPU: plain matrix products, as the backward of fused attention is pathologically slow.

Equal to WanAttnProcessor; tests/starter holds them equal. Running a trained model does not need it.
"""

import torch
from torch import Tensor, nn


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    c, s = cos[..., 0::2], sin[..., 1::2]
    return torch.stack((even * c - odd * s, even * s + odd * c), -1).flatten(-2)


class PlainAttention:
    """A processor for `WanTransformer3DModel.set_attn_processor`: text-to-video only, no mask."""

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: None = None,
        rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1))
        key = attn.norm_k(attn.to_k(source)).unflatten(2, (attn.heads, -1))
        value = attn.to_v(source).unflatten(2, (attn.heads, -1)).transpose(1, 2)
        if rotary_emb is not None:
            query, key = _rotate(query, *rotary_emb).type_as(value), _rotate(key, *rotary_emb).type_as(value)
        query, key = query.transpose(1, 2), key.transpose(1, 2)
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1).type_as(value)
        return attn.to_out[0]((weights @ value).transpose(1, 2).flatten(2))
