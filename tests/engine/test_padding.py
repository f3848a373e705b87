"""Words without their padding and without a mask draw what they draw with both."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import HunyuanVideo15Transformer3DModel, HunyuanVideoTransformer3DModel

from engine.worker import families
from tests.tiny import hunyuan_video, hunyuan_video15

REAL, PADDED = 5, 12


def inputs(transformer: Any) -> dict[str, Any]:
    """A clip of a few tokens and words of which most are padding."""
    config, generator = transformer.config, torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    words = getattr(config, "text_embed_dim", None)
    mask = torch.zeros(1, PADDED, dtype=torch.long)
    mask[:, :REAL] = 1
    given = {"hidden_states": noise(1, config.in_channels, 3, 4, 4), "timestep": torch.tensor([500.0]),
             "encoder_hidden_states": noise(1, PADDED, words), "encoder_attention_mask": mask}  # fmt: skip
    if isinstance(transformer, HunyuanVideoTransformer3DModel):
        return given | {"pooled_projections": noise(1, config.pooled_projection_dim),
                        "guidance": torch.tensor([6000.0]) if config.guidance_embeds else None}  # fmt: skip
    second = torch.zeros(1, 6, dtype=torch.long)
    second[:, :2] = 1
    return given | {"encoder_hidden_states_2": noise(1, 6, config.text_embed_2_dim), "encoder_attention_mask_2": second,
                    "image_embeds": torch.zeros(1, 4, config.image_embed_dim)}  # fmt: skip


@torch.no_grad()
@pytest.mark.parametrize("family", ["hunyuan_video", "hunyuan_video15"])
def test_leaving_padding_out_changes_nothing(family: str, tmp_path: Path) -> None:
    first = family == "hunyuan_video"
    (hunyuan_video if first else hunyuan_video15).build(tmp_path)
    kind: Any = HunyuanVideoTransformer3DModel if first else HunyuanVideo15Transformer3DModel
    transformer = kind.from_pretrained(tmp_path / "transformer").eval()
    given = inputs(transformer)
    masked = transformer(**given, return_dict=False)[0]
    lengths: list[int] = []
    for _ in range(2):  # asked for again, as with each pipeline over the same weights
        families.of(family).prepare(SimpleNamespace(transformer=transformer))
    last = transformer.single_transformer_blocks[-1] if first else transformer.transformer_blocks[-1]
    last.register_forward_pre_hook(lambda block, seen: lengths.append(seen[1].shape[1]))
    cut = transformer(**given, return_dict=False)[0]
    assert lengths == [REAL if first else REAL + 2]
    assert float((cut - masked).abs().max()) <= 1e-5
