"""The LoRAs of a shot, in the expert drawer: choose one that is here or bring a file, its strength, leave it out."""

from __future__ import annotations

from engine import Engine, ModelCard, Request
from ui.page.components.html import FILES, render

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
    chosen = {use.id for use in brought.loras} | {use.low for use in brought.loras}
    free = [file for file in kept.values() if file.id not in chosen and card in engine.models.made_for(file)]
    shared = [(str(path), file.name) for path, file in engine.loras.shared() if card in engine.models.made_for(file)]
    return render(
        "screens/form/loras.html",
        worn=[(use, kept.get(use.id)) for use in brought.loras],
        free=[(file.id, file.name) for file in free] + shared,
        two_halves="transformer_2" in card.components,  # one for early steps and one for late ones
        strengths=STRENGTHS,
    )
