"""The pictures a shot starts from or ends on. The browser brings one to `/bring/picture`, the form keeps its id.

No file of the person is ever served by its path: the page shows the plain copy that the engine keeps.
"""

from __future__ import annotations

import re

from engine import ModelCard, PictureRole
from ui.page.media import picture_address
from ui.page.panel import button
from ui.page.roster import needs, takes_pictures
from ui.page.wording import shown
from ui.texts import PICTURE

ID = re.compile(r"[0-9a-f]{32}")
# A file that was chosen or dropped goes to the server as it is; what comes back is its id, or why not.
BRING = """
const bring = async (role, file) => {
    const slot = element.querySelector(`[data-slot=${role}]`);
    slot?.classList.add('busy');
    try {
        const answer = await fetch('/bring/picture', { method: 'POST', body: file });
        const told = await answer.text();
        trigger('click', answer.ok ? { act: 'picture', id: `${role}:${told}` } : { act: 'refused', id: told });
    } catch { trigger('click', { act: 'refused', id: '' }); }
    slot?.classList.remove('busy');
};
element.addEventListener('change', ({ target }) => {
    if (target.files?.length) bring(target.dataset.role, target.files[0]);
});
element.addEventListener('dragover', (event) => event.preventDefault());
element.addEventListener('drop', (event) => {
    event.preventDefault();
    const slot = event.target.closest('[data-slot]');
    if (slot && event.dataTransfer.files.length) bring(slot.dataset.slot, event.dataTransfer.files[0]);
});
"""


def slots(card: ModelCard, chosen: dict[PictureRole, str]) -> str:
    """A place for each picture that this model takes; nothing for a model of words."""
    roles = takes_pictures(card)
    if not roles:
        return ""
    cells = "".join(_slot(role, chosen.get(role, ""), role in needs(card)) for role in roles)
    return f'<section class="pictures" aria-label="{shown(PICTURE.heading)}">{cells}</section>'


def _slot(role: PictureRole, name: str, needed: bool) -> str:
    title = f"<strong>{shown(getattr(PICTURE, role))}</strong>"
    if ID.fullmatch(name):
        inside = f'<img src="{picture_address(name)}" alt="{shown(PICTURE.alt)}">'
        return (
            f'<div class="slot full" data-slot="{role}">{title}{inside}'
            f"{button('picture', '×', f'{role}:', 'remove', PICTURE.clear)}</div>"
        )
    hint = f" ({shown(PICTURE.needed)})" if needed else ""
    return (
        f'<label class="slot" data-slot="{role}">{title}<span>{shown(PICTURE.choose)}{hint}</span>'
        f'<input type="file" accept="image/*" data-role="{role}"></label>'
    )
