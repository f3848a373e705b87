"""What every noun is, and the words that fields are made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

ShotStage = Literal["take", "render"]
JobState = Literal["queued", "running", "asking", "finished", "failed", "cancelled"]
Verdict = Literal["comfortable", "tight", "offloads", "unlikely", "unknown"]
DeviceKind = Literal["cpu", "cuda", "rocm", "mps", "xpu", "pretend"]  # pretend: of the tests
Aspect = Literal["square", "wide", "tall"]
Outcome = Literal["draft", "standard", "best"]
Mode = Literal["refine", "continue"]
Phase = Literal["loading", "prompt", "sampling", "decoding", "writing"]
Shortage = Literal["vram", "fragmented", "pinned", "ram", "page_file"]  # what can run out
Work = Literal["loading", "denoising", "decoding"]  # and meanwhile; decoding is all work of the VAE
Argument = bool | int | float | str  # what a card may hand to its pipeline's call
Dtype = Literal["float32", "bfloat16", "float16"]
Precision = Literal["full", "fp8", "int8", "nf4", "gguf"]
Offload = Literal["resident", "model", "group"]
Readers = Literal["resident", "streamed", "dropped"]  # the text encoders: where the model is, in RAM, or let go
Attention = Literal["native", "_native_cudnn", "_native_flash", "_native_efficient", "flash", "sage"]  # of diffusers
PictureRole = Literal["image", "last_image", "mask"]
VideoRole = Literal["video", "control_video", "face_video", "mask"]
MediaRole = Literal["image", "last_image", "keyframes", "references", "video", "control_video", "face_video", "mask"]
ContentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]  # the beginning of a sha256
MediaId = ContentId
Fit = Literal["crop", "pad"]
Noise = Literal["", "high", "low"]
PresetId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class FrozenModel(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def but(self, **changes: Any) -> Self:
        """The same with other values. Raises ValidationError for a field that it does not have, or a wrong value."""
        return type(self).model_validate(self.__dict__ | changes)
