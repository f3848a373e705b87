"""The starter's text encoder, and the heads that make it an attribute reader while it trains."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from starter.captions import LABELS, Caption
from starter.tokenizer import MAX_LENGTH

TEXT_DIM = 128


def new_text_encoder(words: int) -> UMT5EncoderModel:
    """A 2-layer UMT5 encoder of width 128."""
    config = UMT5Config(
        vocab_size=words,
        d_model=TEXT_DIM,
        d_kv=32,
        d_ff=256,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
    )
    return UMT5EncoderModel(config)


class Reader(nn.Module):
    """One linear head per attribute on every token, so that each token the picture attends to knows the sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(TEXT_DIM, len(values)) for name, values in LABELS.items()})

    def forward(self, tokens: Tensor, mask: Tensor, labels: dict[str, Tensor]) -> Tensor:
        """Mean cross entropy over attributes and over tokens (batch, length, 128) where `mask` (batch, length) is 1."""
        losses = []
        for name, head in self.heads.items():
            logits = head(tokens)
            target = labels[name][:, None].expand(-1, tokens.shape[1])
            entropy = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view_as(mask)
            losses.append((entropy * mask).sum() / mask.sum())
        return torch.stack(losses).mean()

    @torch.no_grad()
    def accuracy(self, tokens: Tensor, mask: Tensor, labels: dict[str, Tensor]) -> dict[str, float]:
        """Share of captions whose tokens, on average, read each attribute right."""
        pooled = (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return {
            name: float((head(pooled).argmax(-1) == labels[name]).float().mean()) for name, head in self.heads.items()
        }


def tokenize(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> tuple[Tensor, Tensor]:
    """Ids and mask, each (batch, 64): WanPipeline pads the same way when called with max_sequence_length=64."""
    tokens = tokenizer(texts, padding="max_length", max_length=MAX_LENGTH, truncation=True, return_tensors="pt")
    return tokens.input_ids, tokens.attention_mask


def encode(encoder: UMT5EncoderModel, ids: Tensor, mask: Tensor) -> Tensor:
    """Embeddings (batch, 64, 128), zero where padded, as WanPipeline makes them."""
    longest = int(mask.sum(1).max())
    tokens = encoder(ids[:, :longest], mask[:, :longest]).last_hidden_state * mask[:, :longest, None]
    return F.pad(tokens, (0, 0, 0, ids.shape[1] - longest))


def label_tensors(captions: list[Caption]) -> dict[str, Tensor]:
    """Class indices (batch,) per entry of LABELS."""
    return {name: torch.tensor([values.index(c.said[name]) for c in captions]) for name, values in LABELS.items()}
