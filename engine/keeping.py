"""What a person brings and keeps: pictures, videos, LoRAs, presets."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PIL import Image

from engine.media import images, resize, videos
from engine.planning.tiers import Tier, with_level
from engine.queries import Asking
from engine.schema import MediaRole, Request
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, BadSetting
from engine.schema.preset import Camera, Look, Preset
from engine.storage import temporary_folders
from engine.storage.catalog import AnyPreset, Kind, named
from engine.weights.lora import matching
from engine.weights.lora.file import LoraFile, read_lora

OWN_TIER = "My own"

BACKGROUND = "background"  # the setting


class Keeping(Asking):
    """Every way in checks first; what is refused leaves no trace."""

    def keep_picture(self, path: Path, background: str | None = None) -> str:
        """Take in a picture; its id goes into `pictures`, `references` or `keyframes` of a request. `background`: the
        colour under what can be seen through, the chosen one when None. Raises BadFile, BadSetting."""
        return images.keep_picture(path, self.places.media, self._background(background))

    def keep_video(self, path: Path, background: str | None = None) -> str:
        """Take in a video; its id goes into `Request.videos`. `background` as of a picture. Raises BadFile."""
        return videos.keep_video(path, self.places.media, background=self._background(background))

    @property
    def background(self) -> str:
        """The colour, as #rrggbb, under what can be seen through in what is brought."""
        with contextlib.suppress(BadSetting):
            return images.colour(self.store.setting(BACKGROUND, images.BACKGROUND))
        return images.BACKGROUND

    def choose_background(self, text: str) -> None:
        """Raises BadSetting where it is no colour."""
        self.store.set(BACKGROUND, images.colour(text))

    def _background(self, asked: str | None) -> str:
        return self.background if asked is None else images.colour(asked)

    def fitted_preview(self, request: Request, role: MediaRole) -> Image.Image:
        """What the render of `request` will see of `role`: a few pictures side by side. Raises BadInput."""
        found = resize.read(self.places.media, request, self.plan(request).render).of(role)
        if not found:
            raise BadFile("Nothing is given for that.", "Choose a picture or a video first.")
        return resize.strip(found)

    def looks(self) -> list[Look]:
        """The looks to choose from, by name; `look.words_for(card)` is empty for a model that cannot do it."""
        return self._presets.all(Look)

    def cameras(self) -> list[Camera]:
        return self._presets.all(Camera)

    def presets(self) -> list[Preset]:
        """The whole requests that this person saved."""
        return self._presets.all(Preset)

    def preset(self, kind: type[Kind], name: str) -> Kind:
        """One by its id. Raises UnknownName, or BadFile when its file is broken."""
        return self._presets.get(kind, name)

    def is_own_preset(self, preset: AnyPreset) -> bool:
        """Whether it lies in the person's data folder and can be deleted."""
        return self._presets.is_own(preset)

    def preset_problems(self) -> list[BadFile]:
        """Files among the presets that cannot be used, each with the field that is wrong."""
        return self._presets.problems()

    def save_preset(self, name: str, content: Request | Look | Camera | Tier) -> AnyPreset:
        """Keep a request, or a changed look or camera, under a name; an own one of that name is replaced.

        Raises BadSetting for a name that cannot be one. Pictures and the device are left out.
        """
        named_so_far = Preset(id="new", name="new", request=content) if isinstance(content, Request) else content
        kept = named(named_so_far, name)
        self._presets.save(kept)
        return kept

    def keep_outcome(self, request: Request) -> Tier:
        """Keep what this request would render as the meaning of its outcome, in a tier of the person's own."""
        if request.outcome is None:
            raise BadSetting("No outcome is chosen.", "Choose draft, standard or best first.")
        now, card = self.tier(), self.catalog.card(request.model)
        name = now.name if self.is_own_preset(now) else OWN_TIER
        own = self.save_preset(name, with_level(now, self.plan(request), card))
        return self.choose_tier(own.id)

    def passing(self, purpose: str) -> contextlib.AbstractContextManager[Path]:
        """A folder for a file that only passes through: `brought` or `preset`."""
        return temporary_folders.folder(self.places.staging, purpose)

    def export_preset(self, kind: type[AnyPreset], name: str, folder: Path) -> Path:
        """Write one as a file for a friend; answers where. Raises UnknownName or BadFile."""
        return self._presets.export(self._presets.get(kind, name), folder)

    def import_preset(self, path: Path, renamed: str | None = None) -> AnyPreset:
        """Take in a friend's file. Raises BadFile with the field that is wrong; then nothing has changed."""
        return self._presets.receive(path, renamed)

    def delete_preset(self, kind: type[AnyPreset], name: str) -> None:
        """Delete one of the person's own; where it replaced one of ours, that is back. Raises BadInput."""
        self._presets.delete(kind, name)

    def keep_lora(self, path: Path, model: str | None = None) -> LoraFile:
        """Take in a LoRA; its id goes into `Request.loras`. Raises BadFile, or BadSetting where `model` is another."""
        if model:
            matching.check(read_lora(path), self.catalog.card(model), self.cards())
        return self.loras.keep(path)

    def made_for(self, lora: LoraFile) -> list[ModelCard]:
        """The models that a LoRA fits."""
        return matching.made_for(lora, self.cards())

    def keep_last_picture(self, clip_id: str) -> str:
        """Take in the last picture of a clip, for another shot to start from. Raises UnknownName, BadFile."""
        return images.keep_last_picture(Path(self.library.clip(clip_id).video), self.places.media)
