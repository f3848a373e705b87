"""HunyuanVideo: guidance is an input of the transformer; true guidance costs a second call and is off by default."""

from __future__ import annotations

from typing import Any

import torch

from engine.worker.families import padding
from engine.worker.families.family import LatentVideo, Shot

NAMES = ("prompt_embeds", "pooled_prompt_embeds", "prompt_attention_mask")


class HunyuanVideo(LatentVideo):
    encodes_pictures = True

    def prepare(self, pipe: Any) -> None:
        transformer = pipe.transformer
        blocks = [*transformer.transformer_blocks, *transformer.single_transformer_blocks]
        padding.left_out(blocks, lambda mask, picture: mask.sum() - picture.shape[1])  # its mask has the picture's too

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        own: dict[str, Any] = {"max_sequence_length": shot.plan.max_tokens, "device": pipe._execution_device}
        if "image" in shot.pictures:  # the text encoder looks at the picture too
            replaces = transformer.config.image_condition_type == "token_replace"
            own |= {"image": shot.pictures["image"], "image_embed_interleave": 4 if replaces else 2}
        answer = dict(zip(NAMES, pipe.encode_prompt(prompt=shot.plan.told, **own), strict=True))
        if shot.plan.negative_prompt:
            negative = pipe.encode_prompt(prompt=shot.plan.negative_prompt, **own)
            answer |= {f"negative_{name}": part for name, part in zip(NAMES, negative, strict=True)}
        return answer

    def whole(self, pipe: Any, latents: torch.Tensor, part: torch.Tensor, shot: Shot) -> torch.Tensor:
        """A picture that replaces tokens is the first frame; the scheduler has the others."""
        return torch.cat([latents[:, :, : latents.shape[2] - part.shape[2]], part], dim=2)


family = HunyuanVideo()
