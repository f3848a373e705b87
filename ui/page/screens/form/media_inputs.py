"""The pictures and videos that a shot starts from, ends on or follows, as places in the form.

The browser brings a file to `/bring/picture` or `/bring/video`; the form keeps its id. No file of the person is ever
served by its path: the page shows the plain copy that the engine keeps.
"""

from __future__ import annotations

from engine import MAX_PICTURES, MediaRole, ModelCard, Request
from ui.page.components.formatting import shown
from ui.page.components.html import FILES, button, choice, number
from ui.page.components.media_routes import address, kept_address
from ui.page.model import attachments
from ui.texts import PICTURE

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
    cells = "".join(_cells(role, card, able) for role in roles)
    how = _fit(able) + _strength(card, able) + _background(background)
    told = f'<div class="how">{how}</div>'
    return f'<section class="pictures" aria-label="{shown(PICTURE.heading)}">{cells}</section>{told}'


def _cells(role: MediaRole, card: ModelCard, brought: Request) -> str:
    """What a role holds, and a place for one more where it has room."""
    full = []
    match role:
        case "references":
            full = [_full(role, name, name) for name in brought.references]
        case "keyframes":
            rate = card.frames.fps
            full = [_full(role, name, str(frame), _moment(frame, rate)) for frame, name in brought.keyframes.items()]
        case "image" if brought.extends:
            return _goes_on(brought)
        case _:
            still = {str(key): name for key, name in brought.pictures.items()}.get(role)
            moving = {str(key): name for key, name in brought.videos.items()}.get(role)
            if still or moving:
                return _full(role, still or moving or "", moves=not still)
    return "".join(full) + (_empty(role, role in card.needs) if len(full) < MAX_PICTURES else "")


def _empty(role: MediaRole, needed: bool) -> str:
    last_word = role.rpartition("_")[2]
    kind = last_word if last_word in ACCEPTS else "picture"
    hint = f" ({shown(PICTURE.needed)})" if needed else ""
    what = {"video": PICTURE.choose_video, "mask": PICTURE.choose_either}.get(kind, PICTURE.choose)
    return (
        f'<label class="slot" data-slot="{role}"><strong>{shown(getattr(PICTURE, role))}</strong>'
        f"<span>{shown(what)}{hint}</span>"
        f'<input type="file" accept="{ACCEPTS.get(kind, "image/*")}" data-role="{role}" data-kind="{kind}"></label>'
    )


def _full(role: MediaRole, name: str, which: str = "", more: str = "", moves: bool = False) -> str:
    source = kept_address("video" if moves else "picture", name)
    seen = (
        f'<video src="{source}" class="loop" autoplay loop muted playsinline aria-label="{shown(PICTURE.alt_video)}">'
        "</video>"
        if moves
        else f'<img src="{source}" alt="{shown(PICTURE.alt)}">'
    )
    away = button("without", "×", f"{role}:{which}", "remove", PICTURE.clear)
    return (
        f'<div class="slot full" data-slot="{role}"><strong>{shown(getattr(PICTURE, role))}</strong>{seen}{more}{away}'
        "</div>"
    )


def _moment(frame: int, fps: int) -> str:
    return number("keyframe", PICTURE.at, str(frame), f"{frame / fps:.2f}", (0, 60, 1 / fps))


def _goes_on(brought: Request) -> str:
    """The clip that this one goes on from, in the place of the first picture."""
    assert brought.extends
    kind, name = brought.extends.kind, brought.extends.id
    source = kept_address("video", name) if kind == "video" else address(kind, name)
    return (
        f'<div class="slot full" data-slot="image"><strong>{shown(PICTURE.goes_on)}</strong>'
        f'<video src="{shown(source)}" class="loop" autoplay loop muted playsinline'
        f' aria-label="{shown(PICTURE.goes_on)}"></video>'
        f"{button('goes-on-no-more', '×', '', 'remove', PICTURE.begin_anew)}</div>"
    )


def _fit(brought: Request) -> str:
    """How what was brought gets the clip's shape, as soon as there is something."""
    if not brought.given:
        return ""
    return choice("fit", PICTURE.fit, [("crop", PICTURE.crop), ("pad", PICTURE.pad)], brought.fit)


def _background(colour: str) -> str:
    """What lies under a picture or video that can be seen through, from the next one on."""
    return (
        f'<label class="field">{shown(PICTURE.background)} <input type="color" data-change="background" data-id=""'
        f' value="{shown(colour)}"></label>'
    )


def _strength(card: ModelCard, brought: Request) -> str:
    rule = card.strength
    if rule is None or "video" not in brought.videos:
        return ""
    value = rule.default if brought.strength is None else brought.strength
    return number("strength", PICTURE.strength, "", f"{value:g}", (rule.minimum, 1, 0.05))
