"""HunyuanVideo: guidance is an input of the transformer; true guidance costs a second call and is off by default."""

from __future__ import annotations

from typing import Any

from engine.types import Plan
from engine.worker.families.latent_video import LatentVideo

NAMES = ("prompt_embeds", "pooled_prompt_embeds", "prompt_attention_mask")


class HunyuanVideo(LatentVideo):
    def encode(self, pipe: Any, plan: Plan) -> dict[str, Any]:
        answer = dict(zip(NAMES, self._encoded(pipe, plan, plan.request.prompt), strict=True))
        if plan.request.negative_prompt:
            negative = self._encoded(pipe, plan, plan.request.negative_prompt)
            answer |= {f"negative_{name}": part for name, part in zip(NAMES, negative, strict=True)}
        return answer

    def _encoded(self, pipe: Any, plan: Plan, words: str) -> tuple[Any, ...]:
        return tuple(
            pipe.encode_prompt(prompt=words, max_sequence_length=plan.max_tokens, device=pipe._execution_device)
        )


family = HunyuanVideo()
