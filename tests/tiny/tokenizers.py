"""Tokenizers trained in a blink on a handful of sentences, of the classes that the hub's checkpoints name.

Some pipelines cut a fixed number of tokens off their prompt template, so a tokenizer can be told how many tokens a
text must have: its merges are cut where that is true.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer, GemmaTokenizer, LlamaTokenizer, Qwen2Tokenizer, T5Tokenizer

SENTENCES = [
    "a red ball rolls to the left on a blue background",
    "a yellow star spins over the sea at sunset while the camera zooms in",
    "a quick brown fox jumps over the lazy dog",
    "0123456789 abcdefghijklmnopqrstuvwxyz",
]
ROLES = ["system", "user", "assistant", "\n", "\n\n"] * 50  # of chat templates: one token each
BYTES = pre_tokenizers.ByteLevel.alphabet()

Learned = tuple[dict[str, int], list[tuple[str, str]]]  # vocabulary and merges


def t5() -> Any:
    """A Unigram tokenizer of T5's kind, as Wan's UMT5 uses."""
    trained = Tokenizer(models.Unigram())
    trainer = trainers.UnigramTrainer(vocab_size=100, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    trained.train_from_iterator(SENTENCES * 4, trainer)
    vocabulary = sorted(trained.get_vocab().items(), key=lambda item: item[1])
    return T5Tokenizer(vocab=[(token, -float(rank)) for token, rank in vocabulary], extra_ids=0)


def clip() -> CLIPTokenizer:
    """The prompt's second reader in HunyuanVideo and Kandinsky: always 77 tokens."""
    words = CLIPTokenizer().backend_tokenizer.pre_tokenizer
    learned = _learn(SENTENCES, words, alphabet=BYTES, end_of_word_suffix="</w>")
    vocab, merges = _cut(learned, 100, ["<|startoftext|>", "<|endoftext|>"])
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def llama(text: str, length: int) -> LlamaTokenizer:
    """Of Llama 3's kind in its special tokens; `text` becomes `length` tokens, the first of all included."""
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<unk>", "<pad>", "<image>"]
    special += ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    words = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n+"), behavior="isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="never", split=True),
        ]
    )
    learned = _learn([*SENTENCES, text, *ROLES], words)

    def make(merges: int) -> LlamaTokenizer:
        vocab, kept = _cut(learned, merges, special)
        return LlamaTokenizer(
            vocab=vocab,
            merges=kept,
            bos_token=special[0],
            eos_token=special[1],
            pad_token="<pad>",
            additional_special_tokens=special[4:],
            add_bos_token=True,
            add_prefix_space=False,
            padding_side="right",
        )

    return _of_length(make, text, length, len(learned[1]))


def gemma() -> GemmaTokenizer:
    words = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    vocab, merges = _cut(_learn(SENTENCES, words), 100, ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"])
    return GemmaTokenizer(vocab=vocab, merges=merges, padding_side="left")


def qwen(text: str, length: int, chat_template: str | None = None) -> Qwen2Tokenizer:
    """`text` becomes `length` tokens."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vision = ["<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
    words = Qwen2Tokenizer().backend_tokenizer.pre_tokenizer
    learned = _learn([*SENTENCES, text, *ROLES], words, alphabet=BYTES)

    def make(merges: int) -> Qwen2Tokenizer:
        vocab, kept = _cut(learned, merges, special + vision)
        extra = {"chat_template": chat_template} if chat_template else {}
        return Qwen2Tokenizer(
            vocab=vocab, merges=kept, additional_special_tokens=special[1:] + vision, padding_side="right", **extra
        )

    return _of_length(make, text, length, len(learned[1]))


def _learn(texts: list[str], words: Any, alphabet: list[str] | None = None, **trainer: Any) -> Learned:
    """All the merges that `texts` hold, the most frequent first, none across the borders of `words`."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = words
    plain = [part for text in texts for part in re.split(r"<[|\w]+>", text)]  # special tokens are not learned
    trained.train_from_iterator(
        plain, trainers.BpeTrainer(vocab_size=9999, initial_alphabet=alphabet or [], show_progress=False, **trainer)
    )
    model = json.loads(trained.to_str())["model"]
    return model["vocab"], [(left, right) for left, right in model["merges"]]


def _cut(learned: Learned, merges: int, special: list[str]) -> Learned:
    """The first `merges` merges, and the vocabulary that they need behind the special tokens."""
    vocab, pairs = learned
    beyond = {left + right for left, right in pairs[merges:]} - {left + right for left, right in pairs[:merges]}
    kept = [token for token in sorted(vocab, key=lambda token: vocab[token]) if token not in beyond]
    return {token: index for index, token in enumerate(special + kept)}, pairs[:merges]


def _of_length(make: Callable[[int], Any], text: str, length: int, most: int) -> Any:
    """The tokenizer with so many merges that `text` has `length` tokens: the more merges, the fewer tokens."""
    merges = bisect_left(range(most), -length, key=lambda count: -len(make(count)(text).input_ids))
    tokenizer = make(merges)
    found = len(tokenizer(text).input_ids)
    if found != length:
        raise ValueError(f"no number of merges makes {length} tokens of the text; nearest {found}")
    return tokenizer
