"""Text and image encoders that several families share, each with its tokenizer or processor, all random and tiny."""

from __future__ import annotations

from typing import Any

from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    LlamaConfig,
    Qwen2_5_VLTextConfig,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
    T5Config,
    T5EncoderModel,
)

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


def clip_text() -> tuple[Any, CLIPTextModel]:
    """Tokenizer and encoder of one pooled vector, beside the long reader of HunyuanVideo and Kandinsky."""
    tokenizer = tokenizers.clip()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=37,
        num_attention_heads=2,
        num_hidden_layers=2,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return tokenizer, CLIPTextModel(config)


def llama_config(tokenizer: Any) -> LlamaConfig:
    """Of three layers: pipelines read the hidden state before the last two."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=37,
        num_attention_heads=2,
        num_key_value_heads=2,
        num_hidden_layers=3,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def siglip() -> tuple[SiglipImageProcessor, SiglipVisionModel]:
    """Processor and encoder of 3x3 image tokens of FramePack and HunyuanVideo 1.5."""
    config = SiglipVisionConfig(
        hidden_size=WIDTH, intermediate_size=37, num_hidden_layers=2, num_attention_heads=2, image_size=24, patch_size=8
    )
    return SiglipImageProcessor(size={"height": 24, "width": 24}), SiglipVisionModel(config)


def qwen_config(tokenizer: Any) -> Qwen2_5_VLTextConfig:
    """Of three layers: HunyuanVideo 1.5 reads the hidden state before the last two."""
    return Qwen2_5_VLTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
