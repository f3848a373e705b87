"""Text and image encoders that several families share, each with its tokenizer or processor, all random and tiny."""

from __future__ import annotations

from typing import Any

from transformers import T5Config, T5EncoderModel

from tests.tiny import tokenizers

WIDTH = 32  # of every text embedding


def t5() -> tuple[Any, T5EncoderModel]:
    """Tokenizer and encoder of LTX, CogVideoX and Mochi."""
    tokenizer = tokenizers.t5()
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
    )
    return tokenizer, T5EncoderModel(config)
