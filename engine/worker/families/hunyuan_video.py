"""HunyuanVideo: guidance is an input of the transformer; true guidance costs a second call and is off by default."""

from __future__ import annotations

from typing import Any

from engine.worker.families.latent_video import LatentVideo, Shot

NAMES = ("prompt_embeds", "pooled_prompt_embeds", "prompt_attention_mask")


class HunyuanVideo(LatentVideo):
    def encode(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        answer = dict(zip(NAMES, self._encoded(pipe, shot, shot.plan.told), strict=True))
        if shot.plan.negative_prompt:
            negative = self._encoded(pipe, shot, shot.plan.negative_prompt)
            answer |= {f"negative_{name}": part for name, part in zip(NAMES, negative, strict=True)}
        return answer

    def _encoded(self, pipe: Any, shot: Shot, words: str) -> tuple[Any, ...]:
        own: dict[str, Any] = {}
        if "image" in shot.pictures:  # the text encoder looks at the picture too
            replaces = pipe.transformer.config.image_condition_type == "token_replace"
            own["image_embed_interleave"] = 4 if replaces else 2
            own["image"] = shot.pictures["image"]
        device = pipe._execution_device
        return tuple(pipe.encode_prompt(prompt=words, max_sequence_length=shot.plan.max_tokens, device=device, **own))


family = HunyuanVideo()
