"""Tiny random checkpoints of every family in the real diffusers layout, tokenizers included; made here, no hub."""
