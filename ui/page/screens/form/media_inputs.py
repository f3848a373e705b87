"""The pictures and videos that a shot starts from, ends on or follows, as places in the form.

The browser brings a file to `/bring/picture` or `/bring/video`; the form keeps its id. No file of the person is ever
served by its path: the page shows the plain copy that the engine keeps.
"""

from __future__ import annotations

from engine import MAX_PICTURES, ModelCard, Request
from ui.page.components.html import FILES, render
from ui.page.model import attachments

ACCEPTS = {"video": "video/*,.mkv,.gif", "mask": "image/*,video/*,.mkv"}  # by the last word of a role; else a picture
# A file that was chosen or dropped goes to the server as it is; what comes back is its id, or why not.
BRING = (
    FILES
    + """
const bring = async (role, kind, file) => {
    const slot = element.querySelector(`[data-slot="${role}"]`);
    slot?.classList.add('busy');
    const moves = file.type.startsWith('video/') || /\\.(mkv|avi|gif)$/i.test(file.name);
    const way = kind === 'mask' ? (moves ? 'video' : 'picture') : kind;
    try {
        const name = encodeURIComponent(file.name);
        const answer = await fetch(`/bring/${way}?name=${name}`, { method: 'POST', body: file });
        const told = await answer.text();
        trigger('click', answer.ok ? { act: way, id: `${role}:${told}` } : { act: 'refused', id: told });
    } catch { trigger('click', { act: 'refused', id: '' }); }
    slot?.classList.remove('busy');
};
whenChosen((target) => bring(target.dataset.role, target.dataset.kind, target.files[0]));
element.addEventListener('dragover', (event) => event.preventDefault());
element.addEventListener('drop', (event) => {
    event.preventDefault();
    const field = event.target.closest('[data-slot]')?.querySelector('input[type=file]');
    const file = event.dataTransfer.files[0];
    if (field && file) bring(field.dataset.role, field.dataset.kind, file);
});
"""
)


def slots(card: ModelCard, brought: Request, background: str) -> str:
    """A place for everything that this model takes; nothing for a model of words alone."""
    roles = attachments.takes(card)
    if not roles:
        return ""
    able = brought.but(**attachments.fields(brought, card))
    return render("screens/form/media.html", roles=roles, card=card, brought=able, background=background,
                  accepts=ACCEPTS, most=MAX_PICTURES)  # fmt: skip
