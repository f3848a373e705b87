"""The starter's tokenizer: whole words, lower case, no punctuation; a word that it does not know becomes [UNK].

python -m starter.tokenizer        # prints the vocabulary
"""

import re

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from starter import captions
from starter import wordings as words
from starter.world import random_spec

SPECIAL = ("<pad>", "</s>", "[UNK]")
MAX_LENGTH = 64


def vocabulary() -> list[str]:
    """Every word that captions use, sorted."""
    phrases: list[str] = [*words.FILLERS, *words.EXTRA, *list(captions.COLOURS), *list(captions.HOURS)]
    tables = (words.NAMES, words.EVENING, words.WAYS, words.CAMERA_WORDS)
    phrases += [phrase for table in tables for options in table.values() for phrase in options]
    verbs = (words.SIDEWAYS, words.UPWARDS, words.DOWNWARDS, *words.IN_PLACE.values())
    phrases += [form for table in verbs for pair in table for form in pair]
    rng = np.random.default_rng(0)
    phrases += [captions.full_caption(random_spec(rng), rng).text for _ in range(3000)]
    phrases += ["thing shape object something"]
    return sorted({word for phrase in phrases for word in re.findall(r"[a-z]+", phrase.lower())})


def new_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer that appends `</s>`; its ids are stable as long as the captions' words are."""
    ids = {word: index for index, word in enumerate([*SPECIAL, *vocabulary()])}
    backend = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    backend.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"[^\p{L}\p{N}<>/\[\]]+"), " ")]
    )
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", ids["</s>"])])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="[UNK]", model_max_length=MAX_LENGTH
    )


if __name__ == "__main__":
    print("\n".join(vocabulary()))
