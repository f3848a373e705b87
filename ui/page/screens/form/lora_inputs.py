"""The LoRAs of a shot, in the expert drawer: choose one that is here or bring a file, its strength, leave it out."""

from __future__ import annotations

from engine import Engine, LoraFile, LoraUse, ModelCard, Request
from ui.page.components.formatting import shown
from ui.page.components.html import FILES, button, choice, number
from ui.texts import LORA

STRENGTHS = (-2.0, 2.0, 0.05)
# The files go to the server as they are, both halves of a pair at once; what comes back is their ids, or why one was
# refused.
BRING = (
    FILES
    + """
whenChosen(async (target) => {
    target.closest('label').classList.add('busy');
    const came = [];
    let refusal = null;
    try {
        for (const file of target.files) {
            const name = encodeURIComponent(file.name);
            const answer = await fetch(`/bring/lora?name=${name}`, { method: 'POST', body: file });
            const text = await answer.text();
            if (!answer.ok) { refusal = text; break; }
            came.push(text);
        }
    } catch { refusal = ''; }
    // one act: of two, the later answer would erase what the other one said
    const told = refusal === null ? '' : `\\n${refusal}`;
    if (came.length) trigger('click', { act: 'lora-came', id: came.join(' ') + told });
    else trigger('click', { act: 'refused', id: refusal });
    target.value = '';
    target.closest('label').classList.remove('busy');
});
"""
)


def loras(engine: Engine, card: ModelCard, brought: Request) -> str:
    """What is worn, and what of the LoRAs on this computer could be; nothing for a model that takes none."""
    if not card.loras:
        return ""
    kept = {file.id: file for file in engine.loras.kept()}
    two = "transformer_2" in card.components
    worn = "".join(_worn(use, kept.get(use.id), two) for use in brought.loras)
    chosen = {use.id for use in brought.loras} | {use.low for use in brought.loras}
    free = [file for file in kept.values() if file.id not in chosen and card in engine.made_for(file)]
    shared = [(str(path), file.name) for path, file in engine.loras.shared() if card in engine.made_for(file)]
    options = [("", LORA.none_chosen), *((file.id, file.name) for file in free), *shared]
    pick = choice("lora", LORA.add, options) if len(options) > 1 else ""
    bring = (
        f'<label class="button bring">{shown(LORA.bring)}'
        '<input type="file" accept=".safetensors" multiple data-role="lora"></label>'
    )
    return (
        f'<section class="loras" aria-label="{shown(LORA.heading)}"><h4>{shown(LORA.heading)}</h4>'
        f'<p>{shown(LORA.hint)}</p><ul>{worn}</ul><div class="row">{pick}{bring}</div></section>'
    )


def _worn(use: LoraUse, file: LoraFile | None, two: bool) -> str:
    """`two`: whether the model has a transformer for early steps and one for late ones."""
    name = file.name if file else use.name
    notes = []
    if file and file.trigger_words:
        notes.append(LORA.trigger.format(words=file.trigger_words))
    if file and file.licence:
        notes.append(LORA.licence.format(licence=file.licence))
    said = f"<p>{shown(' '.join(notes))}</p>" if notes else ""
    strength = number("lora-strength", LORA.strength, use.id, f"{use.strength:g}", STRENGTHS)
    half = ""
    if two and file and not file.has_both and not use.low:
        options = [("both", LORA.all_steps), ("high", LORA.early_steps), ("low", LORA.late_steps)]
        half = choice("lora-half", LORA.half, options, file.noise or "both", use.id)
    away = button("lora-off", "×", use.id, "remove", LORA.remove)
    return f'<li data-lora="{shown(use.id)}"><strong>{shown(name)}</strong>{strength}{half}{away}{said}</li>'
