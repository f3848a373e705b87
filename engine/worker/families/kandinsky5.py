"""Kandinsky 5: channels last, (batch, frames, height, width, channels), and two text encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Tokenizer

from engine.schema import Pass
from engine.worker.families.family import LatentVideo, Shot, encoded_pixels

NAMES = ("prompt_embeds_qwen", "prompt_embeds_clip", "prompt_cu_seqlens")


class Kandinsky5(LatentVideo):
    def parts(self, folder: Path) -> dict[str, Any]:
        """Its tokenizer is stored as a processor of videos, which wants torchvision; the words need only this."""
        return {"tokenizer": Qwen2Tokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)}

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for prefix, words in (("", shot.plan.told), ("negative_", shot.plan.negative_prompt)):
            parts = pipe.encode_prompt(
                prompt=[words], max_sequence_length=shot.plan.max_tokens, device=pipe._execution_device
            )
            answer |= {f"{prefix}{name}": part for name, part in zip(NAMES, parts, strict=True)}
        return answer

    def start(self, pipe: Any, scheduler: Any, take: dict[str, torch.Tensor], shot: Shot) -> dict[str, Any]:
        noisy = super().start(pipe, scheduler, take, shot)["latents"]
        if pipe.transformer.visual_cond:  # room for a condition, which a clip from text leaves empty
            room = torch.zeros((*noisy.shape[:-1], noisy.shape[-1] + 1), device=noisy.device, dtype=noisy.dtype)
            if "image" in shot.pictures:
                pixels = pipe.video_processor.preprocess(shot.pictures["image"], shot.run.height, shot.run.width)
                noisy[:, :1] = self.from_vae(pipe, encoded_pixels(pipe, pixels[:, :, None]))
                room[:, :1, ..., -1] = 1  # the first frame is given
            noisy = torch.cat([noisy, room], dim=-1)
        return {"latents": noisy}

    def whole(self, pipe: Any, latents: torch.Tensor, part: torch.Tensor, shot: Shot) -> torch.Tensor:
        """The scheduler has the channels that are drawn, and not those of a condition or a first picture."""
        filled = latents.clone()
        filled[:, latents.shape[1] - part.shape[1] :, :, :, : part.shape[-1]] = part
        return filled

    def normal(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        return latents.permute(0, 4, 1, 2, 3)

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        return latents.to(pipe.vae.dtype).permute(0, 4, 1, 2, 3) / pipe.vae.config.scaling_factor

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        return (encoded * pipe.vae.config.scaling_factor).permute(0, 2, 3, 4, 1)


family = Kandinsky5()
