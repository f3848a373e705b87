"""Pictures and videos that a person brings, kept under the names of their content."""

from __future__ import annotations

import contextlib
from pathlib import Path

from engine.media import images, videos
from engine.schema.errors import BadSetting
from engine.storage.job_store import Store

BACKGROUND = "background"  # the setting


class MediaLibrary:
    """Every way in checks first; what is refused leaves no trace."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store = folder, store

    def keep_picture(self, path: Path, background: str | None = None) -> str:
        """Take in a picture; its id goes into `pictures`, `references` or `keyframes` of a request. `background`: the
        colour under what can be seen through, the chosen one when None. Raises BadFile, BadSetting."""
        return images.keep_picture(path, self._folder, self._background(background))

    def keep_video(self, path: Path, background: str | None = None) -> str:
        """Take in a video; its id goes into `Request.videos`. `background` as of a picture. Raises BadFile."""
        return videos.keep_video(path, self._folder, background=self._background(background))

    def keep_last_picture(self, video: Path) -> str:
        """Take in the last picture of a clip of ours, for another shot to start from. Raises BadFile."""
        return images.keep_last_picture(video, self._folder)

    def ids(self) -> set[str]:
        """What is kept."""
        return {path.stem for path in self._folder.glob("*")}

    def file(self, name: str, moves: bool) -> Path | None:
        """The file of a kept picture, or of a video where it `moves`; None where there is none. No link is followed out
        of the folder."""
        path = images.video_path(self._folder, name) if moves else images.picture_path(self._folder, name)
        return path if path.is_file() and path.resolve().parent == self._folder.resolve() else None

    @property
    def background(self) -> str:
        """The colour, as #rrggbb, under what can be seen through in what is brought."""
        with contextlib.suppress(BadSetting):
            return images.colour(self._store.setting(BACKGROUND, images.BACKGROUND))
        return images.BACKGROUND

    def choose_background(self, text: str) -> None:
        """Raises BadSetting where it is no colour."""
        self._store.set(BACKGROUND, images.colour(text))

    def _background(self, asked: str | None) -> str:
        return self.background if asked is None else images.colour(asked)
