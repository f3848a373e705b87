"""What a model is told: the person's sentence, then the words of the look, then those of the camera; and a content
filter that exists only if the person writes one. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from engine.schema import Request, Wording
from engine.schema.card import ModelCard
from engine.schema.errors import BadOwnFile, BadPrompt
from engine.schema.message import Message
from engine.schema.preset import Style

SEPARATORS = re.compile(r"\s*[,，、;；]\s*")


def compose(request: Request, card: ModelCard, styles: Sequence[Style]) -> tuple[Wording, list[Message]]:
    """The final words for `card`, with a reason for each thing that was added, taken away or cannot be done."""
    if request.wording is not None:
        said = request.wording.prompt != request.prompt
        return request.wording, [
            Message("The recipe's own words are used: “{prompt}”", prompt=request.wording.prompt)
        ] if said else []
    prompt, negative, reasons = request.prompt, request.negative_prompt, []
    for style in styles:
        words = style.words_for(card)
        if words:
            ended = re.search(r"[.!?。！？…]\s*$", prompt)
            prompt = f"{prompt.rstrip()}{'' if ended else '.'} {words}"
            reasons.append(Message("{style}: “{words}” was added to the prompt.", style=style.name, words=words))
        else:
            reasons.append(
                Message("{style} changes nothing here: {model} cannot do it.", style=style.name, model=card.name)
            )
    if not negative:
        negative, allowed = _without(card.prompt.default_negative, [text for style in styles for text in style.allows])
        if allowed:
            names = " and ".join(style.name for style in styles)
            reasons.append(
                Message(
                    "The usual negative prompt forbids what {names} asks for; left out: {allowed}.",
                    names=names,
                    allowed=allowed,
                )
            )
    return Wording(prompt=prompt, negative_prompt=negative), reasons


def _without(negative: str, allows: Sequence[str]) -> tuple[str, list[str]]:
    """A negative prompt less the phrases in `allows`, and which those were."""
    phrases = SEPARATORS.split(negative)
    taken = [phrase for phrase in phrases if phrase.casefold() in {text.casefold() for text in allows}]
    if not taken:
        return negative, []  # as it was written, to the letter
    joint = "，" if "，" in negative else ", "
    return joint.join(phrase for phrase in phrases if phrase not in taken), taken


LEAST_LIMIT_CHARS = 2000  # is never refused, however little a model reads: the rest is cut off by its tokenizer
CHARS_PER_TOKEN, WORDS_PER_TOKEN = 8, 0.75  # twice what English comes to, so that nothing is refused that would be read


def check_prompt(request: Request, card: ModelCard, wording: Wording, reasons: list[Message]) -> None:
    most = max(LEAST_LIMIT_CHARS, card.prompt.max_tokens * CHARS_PER_TOKEN)
    for prompt in (request.prompt, request.negative_prompt, wording.prompt, wording.negative_prompt):
        if len(prompt) > most:
            raise BadPrompt(
                Message(
                    "The prompt is {count} characters long; {model} reads {tokens} tokens, about {words} words.",
                    count=len(prompt),
                    model=card.name,
                    tokens=card.prompt.max_tokens,
                    words=round(card.prompt.max_tokens * WORDS_PER_TOKEN),
                ),
                Message("Shorten it to at most {max_prompt_chars} characters.", max_prompt_chars=most),
            )
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in prompt):
            raise BadPrompt(
                Message("The prompt has invisible control characters in it."), Message("Type it by hand instead.")
            )
    if not request.prompt.strip():
        raise BadPrompt(Message("The prompt is empty."), Message("Say in a sentence what should be seen."))
    if wording.negative_prompt and not card.prompt.negative:
        raise BadPrompt(Message("{model} takes no negative prompt.", model=card.name), Message("Leave it empty."))
    unknown = card.prompt.unknown(request.prompt)
    if unknown:
        spoken = re.findall(r"[^\W_]+", request.prompt.casefold())
        if all(word in unknown for word in spoken):
            raise BadPrompt(
                Message("{model} knows no word of this prompt: it speaks a small English vocabulary.", model=card.name),
                Message('Try "a red ball rolls to the left on a blue background", or choose a larger model.'),
            )
        reasons.append(
            Message(
                "{model} does not know: {unknown}. It will ignore those words.", model=card.name, unknown=unknown[:12]
            )
        )
    elif card.prompt.words and not re.search(r"[^\W_]", request.prompt):
        raise BadPrompt(Message("The prompt has no words in it."), Message("Say in a sentence what should be seen."))


# ---- the content filter: exists only if the person writes `filter.txt`, one word or phrase a line, # for remarks ----

MAX_BYTES = 1_000_000


def read(path: Path) -> tuple[str, ...]:
    """The phrases of the list, casefolded; empty when there is none. Raises BadOwnFile when it cannot be read."""
    if not path.is_file():
        return ()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadOwnFile(
                Message("Your word list {file} is larger than a megabyte.", file=path.name),
                Message("Shorten it, or delete it."),
            )
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadOwnFile(
            Message("Your word list {file} cannot be read.", file=path.name),
            Message("Save it as plain text, or delete it."),
        ) from error
    phrases = (line.partition("#")[0].strip().casefold() for line in lines)
    return tuple(phrase for phrase in phrases if phrase)


def check(prompt: str, phrases: tuple[str, ...]) -> None:
    """Raises BadPrompt when the prompt holds one of the phrases as whole words."""
    spoken = " ".join(prompt.casefold().split())
    for phrase in phrases:
        if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", spoken):
            raise BadPrompt(
                Message("Your own word list refuses '{phrase}'.", phrase=phrase),
                Message("Change the prompt, or edit filter.txt in your data folder."),
            )
