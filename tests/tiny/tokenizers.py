"""Tokenizers trained in a blink on a handful of sentences."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer, models, trainers
from transformers import T5Tokenizer

SENTENCES = [
    "a red ball rolls to the left on a blue background",
    "a yellow star spins over the sea at sunset while the camera zooms in",
    "a quick brown fox jumps over the lazy dog",
    "0123456789 abcdefghijklmnopqrstuvwxyz",
]


def t5() -> Any:
    """A Unigram tokenizer of T5's kind, as Wan's UMT5 uses."""
    trained = Tokenizer(models.Unigram())
    trainer = trainers.UnigramTrainer(vocab_size=100, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    trained.train_from_iterator(SENTENCES * 4, trainer)
    vocabulary = sorted(trained.get_vocab().items(), key=lambda item: item[1])
    return T5Tokenizer(vocab=[(token, -float(rank)) for token, rank in vocabulary], extra_ids=0)
