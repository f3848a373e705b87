"""What peft writes beside a LoRA and not into it: by how much its matrices are scaled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

FILE, NOTE = "adapter_config.json", "lora_adapter_metadata"  # beside the weights; diffusers' note inside them
FIELDS = ("r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern")
MAX_BYTES = 200_000


def beside(path: Path) -> dict[str, Any]:
    """The settings that peft's own save of a LoRA has; empty for a file of another kind."""
    config = path.with_name(FILE)
    try:
        if (
            not (path.name.startswith("adapter_model") and path.suffix == ".safetensors")
            or config.stat().st_size > MAX_BYTES
        ):
            return {}
        said = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    found = {name: said[name] for name in FIELDS if name in said} if isinstance(said, dict) else {}
    numbers = [found.get(name) for name in ("r", "lora_alpha")]
    whole = all(isinstance(number, int | float) and number > 0 for number in numbers)
    patterns = [found.get(name) or {} for name in ("rank_pattern", "alpha_pattern")]
    plain = all(isinstance(one, dict) and all(isinstance(v, int | float) and v > 0 for v in one.values())
                for one in patterns)  # fmt: skip
    return found if whole and plain else {}


def copy_with(source: Path, settings: dict[str, Any], target: Path) -> None:
    """A safetensors file with these settings in its notes, its tensors untouched. Raises OSError, ValueError."""
    with source.open("rb") as old, target.open("wb") as new:
        header = json.loads(old.read(int.from_bytes(old.read(8), "little")))
        header["__metadata__"] = header.get("__metadata__", {}) | {NOTE: json.dumps(settings)}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        new.write(len(text).to_bytes(8, "little") + text)
        shutil.copyfileobj(old, new)
