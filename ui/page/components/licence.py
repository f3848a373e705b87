"""What one may do with a model's clips, in one line; conditions are folded away, never left out."""

from __future__ import annotations

from engine import Engine, ModelCard, Recipe
from ui.locale import known
from ui.page.components.html import render
from ui.texts import RIGHTS_OF_CLIP, RIGHTS_OF_MODEL, RightsTexts


def of_model(card: ModelCard) -> str:
    return _line(card, RIGHTS_OF_MODEL)


def of_clip(engine: Engine, recipe: Recipe) -> str:
    """As the model's card says it; the recipe's own line when the card is gone or says something else now."""
    card = next((card for card in engine.models.cards() if card.id == recipe.plan.model), None)
    if card is None or card.licence.line != recipe.rights:
        return render("components/licence.html", use="unknown", words=recipe.rights, terms=[])
    return _line(card, RIGHTS_OF_CLIP)


def _line(card: ModelCard, texts: RightsTexts) -> str:
    licence = card.licence
    sale = {"yes": texts.may_sell, "with conditions": texts.may_sell_if, "no": texts.may_not_sell}
    words = sale[licence.commercial_use].format(licence=licence.name)
    terms = [licence.conditions] if licence.conditions else []
    if licence.excluded:
        terms.append(texts.excluded.format(places=", ".join(map(known, licence.excluded))))
    return render("components/licence.html", use=licence.commercial_use, words=words, terms=terms)
