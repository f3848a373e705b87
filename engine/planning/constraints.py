"""How many frames, and what size: what is asked for, brought to what a model can do, openly."""

from __future__ import annotations

from engine.schema import Overrides, Request, Size
from engine.schema.card import ModelCard, SizeRule
from engine.schema.errors import BadSetting

MOST_SECONDS = 1e6


def frames_of(request: Request, card: ModelCard, reasons: list[str]) -> int:
    rule = card.frames
    if request.num_frames is not None:
        asked, words = request.num_frames, f"{request.num_frames} frames"
    elif request.seconds is not None:
        bounded = min(max(request.seconds, -MOST_SECONDS), MOST_SECONDS)  # the largest number times fps is none
        asked, words = round(bounded * rule.fps), f"{request.seconds:g} seconds"
    else:
        return rule.default
    if not rule.minimum <= asked <= rule.maximum + rule.step - 1:
        low, high = rule.minimum / rule.fps, rule.maximum / rule.fps
        raise BadSetting(
            f"{card.name} cannot make a clip of {words}.",
            f"Choose {rule.minimum} to {rule.maximum} frames ({low:.1f} to {high:.1f} seconds at {rule.fps} a second).",
        )
    snapped = (asked - rule.offset) // rule.step * rule.step + rule.offset
    if asked - snapped > rule.step // 2 and snapped + rule.step <= rule.maximum:
        snapped += rule.step
    if snapped != asked:
        reasons.append(
            f"{snapped} frames instead of {asked}: {card.name} works in steps of {rule.step} plus {rule.offset}."
        )
    return snapped


def sizes_of(request: Request, card: ModelCard, reasons: list[str]) -> tuple[Size, Size]:
    """The take's and the render's, by the model's rules; each change adds its reason. Raises BadSetting."""
    return (_halved_sizes if card.latent_upsampler else _sizes)(request, card, reasons)


def _sizes(request: Request, card: ModelCard, reasons: list[str]) -> tuple[Size, Size]:
    """The take's and the render's: as asked, or as the card says."""
    if card.size.only:
        reasons.append(f"{card.name} knows one size only, {card.size.only}, so its take is as large as its render.")
        return card.size.only, card.size.only
    default = card.render.sizes[request.aspect]
    asked = _asked_size(request.render, default)
    render = _snapped(asked, card.size, card.name, reasons) if _has_size(request.render) else default
    return _take_size(request, card, render), render


def _halved_sizes(request: Request, card: ModelCard, reasons: list[str]) -> tuple[Size, Size]:
    """The take's and the render's of a model whose upsampler doubles a take, neither more nor less."""
    wanted = _asked_size(request.render, card.render.sizes[request.aspect])
    smaller = _asked_size(request.take, card.take.sizes[request.aspect])
    if _has_size(request.take) and not _has_size(request.render):
        wanted = Size(width=2 * smaller.width, height=2 * smaller.height)
    rule = card.size.model_copy(update={"multiple": 2 * card.size.multiple, "minimum": 2 * card.size.minimum})
    render = _snapped(wanted, rule, card.name, reasons)
    take = Size(width=render.width // 2, height=render.height // 2)
    if _has_size(request.take) and take != smaller:
        reasons.append(f"A take of {take} instead of {smaller}: {card.name} doubles its takes.")
    return take, render


def _take_size(request: Request, card: ModelCard, render: Size) -> Size:
    """The take's size: as asked, as the card says, or the render's shape at the card's take-to-render scale."""
    asked, default = request.take, card.take.sizes[request.aspect]
    if _has_size(asked):
        return _snapped(_asked_size(asked, default), card.size, card.name, [])
    full = card.render.sizes[request.aspect]
    if render == full:
        return default
    multiple, scale = card.size.multiple, default.width / full.width
    width, height = (
        max(card.size.minimum, round(side * scale / multiple) * multiple) for side in (render.width, render.height)
    )
    return Size(width=width, height=height)


def _asked_size(asked: Overrides, default: Size) -> Size:
    """What was asked for; a side that was not takes the card's."""
    return Size(
        width=default.width if asked.width is None else asked.width,
        height=default.height if asked.height is None else asked.height,
    )


def _has_size(asked: Overrides) -> bool:
    return asked.width is not None or asked.height is not None


def _snapped(size: Size, rule: SizeRule, name: str, reasons: list[str]) -> Size:
    for side in (size.width, size.height):
        if not rule.minimum <= side <= rule.maximum:
            raise BadSetting(
                f"{name} cannot make a picture of {size}.",
                f"Each side must be from {rule.minimum} to {rule.maximum} pixels.",
            )
    width, height = (
        max(rule.minimum, round(side / rule.multiple) * rule.multiple) for side in (size.width, size.height)
    )
    largest = rule.maximum // rule.multiple * rule.multiple
    snapped = Size(width=min(width, largest), height=min(height, largest))
    if snapped != size:
        reasons.append(f"{snapped} instead of {size}: {name} needs multiples of {rule.multiple} pixels.")
    return snapped
