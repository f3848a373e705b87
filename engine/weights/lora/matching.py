"""Which LoRA fits which model, and how it is worn: pure arithmetic over what the file and the card say."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from engine.schema import FrozenModel, HardwareProfile, LoraUse, PlannedLora, ShotPlan
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting
from engine.schema.message import Message
from engine.weights.lora import pairs
from engine.weights.lora.file import LoraFile

Thing = TypeVar("Thing", bound=FrozenModel)
MAX_LORAS = 8
STRONGEST = 4.0
PARTS = ("transformer", "transformer_2")  # of a pair: for the noisy steps, for the late ones


def made_for(lora: LoraFile, cards: Sequence[ModelCard]) -> list[ModelCard]:
    """The models whose transformer has the shape that the file speaks of."""
    fitting = [
        card
        for card in cards
        if card.loras
        and (card.lora_family or card.family) in lora.families
        and lora.width in (card.latent.width, 0)
        and lora.blocks <= card.latent.layers
        and ("image" not in lora.special or "image" in card.inputs)
        and _has_some(lora, card)
        and (not lora.has_both or PARTS[1] in card.components)
    ]
    exact = [card for card in fitting if card.latent.layers == lora.blocks]
    return exact or fitting


def _has(card: ModelCard, kind: str) -> bool:
    """Whether a model has the layers that only some of its family have (`lora_layout.SPECIAL`)."""
    return "image_encoder" in card.components if kind == "image" else card.family.endswith(kind)


def _has_some(lora: LoraFile, card: ModelCard) -> bool:
    """Whether a model has layers that a LoRA changes."""
    absent = sum(count for kind, count in lora.special.items() if not _has(card, kind))
    return absent < lora.layers


def joined(uses: Sequence[LoraUse], kept: Mapping[str, LoraFile]) -> list[LoraUse]:
    """Halves of a pair become one: both chosen, or one whose other half is kept. Raises BadSetting on two strengths,
    and where several files may be the other half."""
    strengths = {use.id: use.strength for use in uses}
    kept = {**kept, **_told_apart([kept[use.id] for use in uses if not use.low])}
    result: list[LoraUse] = []
    for use in uses:
        other = None if use.low else _other_half(kept[use.id], [kept[name] for name in strengths], kept)
        if other is None:
            result.append(use)
            continue
        if strengths.get(other.id, use.strength) != use.strength:
            raise BadSetting(
                Message("'{kept}' and '{other}' are one LoRA in two halves.", kept=kept[use.id].name, other=other.name),
                Message("Give both the same strength."),
            )
        halves = (use.id, other.id) if other.noise == "low" else (other.id, use.id)
        if halves[0] not in (done.id for done in result if done.low):
            result.append(LoraUse(id=halves[0], low=halves[1], strength=use.strength))
    return result


def _told_apart(chosen: Sequence[LoraFile]) -> dict[str, LoraFile]:
    """Those chosen together whose names differ in the mark of a half alone, as the halves that they then are."""
    found = {}
    for one, other in itertools.combinations(chosen, 2):
        halves = pairs.told_apart(one.name, other.name)
        alike = (one.families, one.width) == (other.families, other.width) and not (one.for_both or other.for_both)
        if halves and alike and {one.noise, other.noise} != {"high", "low"}:
            shared = os.path.commonprefix([one.name, other.name])
            for file, half in zip((one, other), halves, strict=True):
                found[file.id] = file.but(noise=half, name=f"{shared} {half} noise")
    return found


def _other_half(lora: LoraFile, chosen: Sequence[LoraFile], kept: Mapping[str, LoraFile]) -> LoraFile | None:
    """Among those chosen together first, then those that came from the same place, then all."""
    near = [one for one in kept.values() if lora.came_from and one.came_from == lora.came_from]
    for group in (chosen, near, list(kept.values())):
        halves = [
            one
            for one in group
            if {one.noise, lora.noise} == {"high", "low"} and (one.families, one.width) == (lora.families, lora.width)
        ]
        if other := pairs.other_half(lora.name, [(one.name, one) for one in halves]):
            return other
    return None


def planned(uses: Sequence[LoraUse], files: dict[str, LoraFile], card: ModelCard, cards: Sequence[ModelCard]) -> Worn:
    """How the LoRAs of a request are worn by a model. Raises BadSetting with what each is made for."""
    if len(uses) > MAX_LORAS:
        raise BadSetting(
            Message("{count} LoRAs at once are too many.", count=len(uses)),
            Message("Choose at most {max_loras}.", max_loras=MAX_LORAS),
        )
    chosen = [name for use in uses for name in (use.id, use.low) if name]
    if len(set(chosen)) < len(chosen):
        raise BadSetting(Message("The same LoRA was chosen twice."), Message("Choose it once, with one strength."))
    return Worn(loras=tuple(_planned(use, files, card, cards) for use in uses), files=files)


def _planned(use: LoraUse, files: Mapping[str, LoraFile], card: ModelCard, cards: Sequence[ModelCard]) -> PlannedLora:
    lora, low = files[use.id], files[use.low] if use.low else None
    if not -STRONGEST <= use.strength <= STRONGEST:
        raise BadSetting(
            Message("The strength {strength:g} is out of range.", strength=use.strength),
            Message("Use -{strongest:g} to {strongest:g}.", strongest=STRONGEST),
        )
    for half in (lora, low) if low else (lora,):
        check(half, card, cards)
    two = PARTS[1] in card.components
    if low and not two:
        raise BadSetting(
            Message(
                "'{lora}' is a pair for a model of two transformers, which {model} is not.",
                lora=lora.name,
                model=card.name,
            ),
            Message("Choose a model such as Wan 2.2 A14B, or one half of the pair."),
        )
    match (low, lora.noise if two and not lora.has_both else ""):
        case (LoraFile(), _):
            worn = {PARTS[0]: use.id, PARTS[1]: use.low or ""}
        case (None, "high"):
            worn = {PARTS[0]: use.id}
        case (None, "low"):
            worn = {PARTS[1]: use.id}
        case _:
            worn = {part: use.id for part in PARTS if two or part == PARTS[0]}
    licence = " / ".join(dict.fromkeys(half.licence for half in (lora, low) if half and half.licence))
    return PlannedLora(name=lora.name, strength=use.strength, licence=licence, parts=worn)


def check(lora: LoraFile, card: ModelCard, cards: Sequence[ModelCard]) -> None:
    """Raises BadSetting, with the models that it is made for, when a LoRA does not fit a model."""
    fitting = made_for(lora, cards)
    if card in fitting:
        return
    if not card.loras:
        raise BadSetting(
            Message("{model} takes no LoRAs.", model=card.name), Message("Choose another model, or leave the LoRA out.")
        )
    names = [other.name for other in fitting]
    lora_name, first = lora.name, names[:3]
    if not names:
        cause = Message(
            "The LoRA '{lora}' is made for a model that Rushes does not know, not for {model}.",
            lora=lora_name,
            model=card.name,
        )
    elif len(names) > len(first):
        cause = Message(
            "The LoRA '{lora}' is made for {models} and {more} more, not for {model}.",
            lora=lora_name,
            models=first,
            more=len(names) - len(first),
            model=card.name,
        )
    else:
        cause = Message(
            "The LoRA '{lora}' is made for {models}, not for {model}.", lora=lora_name, models=names, model=card.name
        )
    raise BadSetting(cause, Message("Choose that model, or leave the LoRA out."))


class Worn(FrozenModel):
    """The LoRAs of a plan, and what their files say."""

    loras: tuple[PlannedLora, ...] = ()
    files: dict[str, LoraFile] = {}

    @property
    def size_gb(self) -> float:
        worn = [self.files[name] for lora in self.loras if lora.strength for name in lora.parts.values()]
        return sum(max(file.size_gb, file.applied_gb) for file in worn)

    def beside(self, machine: HardwareProfile) -> HardwareProfile:
        """What of a machine is left for the model."""
        if not self.size_gb:
            return machine
        devices = tuple(_less(device, ("vram_gb", "vram_free_gb"), self.size_gb) for device in machine.devices)
        return _less(machine, ("ram_gb", "ram_free_gb"), self.size_gb).but(devices=devices)

    def on(self, plan: ShotPlan, card: ModelCard) -> ShotPlan:
        """The plan with them, what they weigh, and what a person should know."""
        if not self.loras:
            return plan
        worn = plan.but(loras=self.loras)
        said = [reason for lora in self.loras for reason in self._reasons(lora, card)]
        if worn.fused:
            said.append(
                Message(
                    "The LoRAs are worked into the weights, which are streamed block by block; "
                    "another LoRA or strength loads the model again."
                )
            )
        vram_gb = 0.0 if worn.fused or plan.placement.kind == "cpu" else self.size_gb
        now = plan.forecast
        needs = now.but(ram_gb=round(now.ram_gb + self.size_gb, 3), vram_gb=round(now.vram_gb + vram_gb, 3))
        return worn.but(reasons=(*plan.reasons, *said), forecast=needs)

    @staticmethod
    def _left_out(name: str, kind: str, count: int) -> Message:
        match kind:
            case "norms":
                return Message("Left out of the LoRA '{name}': changes to norms ({count}).", name=name, count=count)
            case "text encoder":
                return Message(
                    "Left out of the LoRA '{name}': layers for the text encoder ({count}).", name=name, count=count
                )
            case "connectors":
                return Message(
                    "Left out of the LoRA '{name}': layers for the text connectors ({count}).", name=name, count=count
                )
            case "image":
                return Message(
                    "Left out of the LoRA '{name}': layers for an image encoder ({count}).", name=name, count=count
                )
        return Message(
            "Left out of the LoRA '{name}': layers that this model has not ({count}).", name=name, count=count
        )

    def _reasons(self, lora: PlannedLora, card: ModelCard) -> list[Message]:
        halves = [self.files[name] for name in dict.fromkeys(lora.parts.values())]
        said = []
        if PARTS[1] in card.components and len(lora.parts) == 1:
            half, rest = ("early", "late") if PARTS[0] in lora.parts else ("late", "early")
            said.append(
                Message(
                    "The LoRA '{lora}' acts on the {half} steps only: its half for the {rest} ones is not here.",
                    lora=lora.name,
                    half=half,
                    rest=rest,
                )
            )
        elif len(halves) == 2:
            said.append(
                Message(
                    "The LoRA '{lora}' is joined with its other half, '{other}'.",
                    lora=halves[0].name,
                    other=halves[1].name,
                )
            )
        elif len(lora.parts) == 2 and not halves[0].has_both and not halves[0].for_both:
            said.append(
                Message(
                    "The LoRA '{lora}' does not say which half of a pair it is: it acts on all steps.", lora=lora.name
                )
            )
        said += [self._left_out(lora.name, kind, count) for kind, count in _omitted(halves, card).items()]
        if len(halves[0].families) > 1:
            said.append(
                Message(
                    "The file of '{lora}' does not say for certain which model family it was made for.", lora=lora.name
                )
            )
        if not lora.licence:
            said.append(
                Message(
                    "The LoRA '{lora}' says nothing about its licence: ask its maker before selling the clip.",
                    lora=lora.name,
                )
            )
        return said


def _omitted(halves: Sequence[LoraFile], card: ModelCard) -> Counter[str]:
    """How many layers of which kind are left out."""
    counted: Counter[str] = Counter()
    for half in halves:
        counted.update(half.omits)
        for kind, count in half.special.items():
            if not _has(card, kind):
                counted[kind] += count
    return counted


def _less(thing: Thing, fields: tuple[str, ...], amount_gb: float) -> Thing:
    return thing.but(**({name: max(getattr(thing, name) - amount_gb, 0.0) for name in fields}))
