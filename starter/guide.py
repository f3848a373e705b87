"""Heads that exist in training only: its middle must know what each latent cell shows and where it lies.

The diffusion loss teaches this slowly; the generator knows it exactly, so a cross entropy says it outright.
Rotary embeddings carry relative positions only, therefore the first head asks for the absolute one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from starter.world import ATTRIBUTES, Spec

POSITION_BLOCK, CONTENT_BLOCK = 1, 3
SUBJECT = (
    "colour",
    "shape",
    "motion",
)  # asked of the cells that the subject covers; the others are asked of every cell


class Guide(nn.Module):
    """Listens to two blocks of a transformer; `loss` compares what they know with the truth."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        width = transformer.config.num_attention_heads * transformer.config.attention_head_dim
        self.position = nn.Linear(width, 3)
        self.covered = nn.Linear(width, 1)
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(values)) for name, values in ATTRIBUTES.items()})
        self.heard: dict[int, Tensor] = {}
        for index in (POSITION_BLOCK, CONTENT_BLOCK):
            transformer.blocks[index].register_forward_hook(self._listener(index))

    def _listener(self, index: int) -> object:
        def listen(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            if self.training:
                self.heard[index] = output

        return listen

    def loss(self, coverage: Tensor, specs: list[Spec]) -> Tensor:
        """Mean of the heads' losses for the last forward pass; coverage is (batch, frames, rows, columns)."""
        batch, *grid = coverage.shape
        axes = torch.meshgrid(*(torch.linspace(-1, 1, size) for size in grid), indexing="ij")
        places = torch.stack(axes, -1).flatten(0, 2).expand(batch, -1, 3)
        first, middle = self.heard.pop(POSITION_BLOCK).float(), self.heard.pop(CONTENT_BLOCK).float()
        cells = coverage.flatten(1)
        losses = [
            2 * F.mse_loss(self.position(first), places),
            F.binary_cross_entropy_with_logits(self.covered(middle)[..., 0], cells),
        ]
        for name, head in self.heads.items():
            labels = torch.tensor([ATTRIBUTES[name].index(getattr(spec, name)) for spec in specs])
            entropy = F.cross_entropy(
                head(middle).flatten(0, 1), labels.repeat_interleave(cells.shape[1]), reduction="none"
            )
            weight = cells.flatten() if name in SUBJECT else torch.ones_like(entropy)
            losses.append((entropy * weight).sum() / weight.sum())
        return torch.stack(losses).mean()
