"""HunyuanVideo 1.5: guidance lives in a guider component, and each prompt is encoded by two encoders.

Most of what its transformer is told is padding (1000 and 256 tokens for words, 729 for a picture), which diffusers
masks by every token against every token: 50 GB at 1280x704 and 121 frames. Here it is left out.
"""

from __future__ import annotations

from typing import Any

from diffusers import HunyuanVideo15ImageToVideoPipeline
from diffusers.models.transformers.transformer_hunyuan_video import HunyuanVideoAttnProcessor2_0

from engine.schema import Pass
from engine.worker.families import padding
from engine.worker.families.family import LatentVideo, Shot

NAMES = ("prompt_embeds", "prompt_embeds_mask", "prompt_embeds_2", "prompt_embeds_mask_2")


class HunyuanVideo15(LatentVideo):
    def prepare(self, pipe: Any) -> None:
        for block in pipe.transformer.transformer_blocks:
            block.attn.set_processor(HunyuanVideoAttnProcessor2_0())  # the same arithmetic, which can do without a mask
        padding.left_out(pipe.transformer.transformer_blocks, lambda mask, picture: mask[0].sum())

    def size(self, pipe: Any, run: Pass) -> dict[str, int]:
        if not isinstance(pipe, HunyuanVideo15ImageToVideoPipeline):
            return super().size(pipe, run)
        # It takes no size and picks one near the picture's; the picture has the planned size already.
        pipe.video_processor.calculate_default_height_width = lambda **_: (run.height, run.width)
        return {"num_frames": run.num_frames}

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for prefix, words in (("", shot.plan.told), ("negative_", shot.plan.negative_prompt)):
            parts = pipe.encode_prompt(prompt=words, device=pipe._execution_device, dtype=transformer.dtype)
            answer |= {f"{prefix}{name}": part for name, part in zip(NAMES, parts, strict=True)}
        return answer

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        pipe.guider = pipe.guider.new(guidance_scale=shot.run.guidance_scale)
        return shot.pictures | shot.run.arguments


family = HunyuanVideo15()
