"""Every text of the page and of its address, in one place: a class per place, an instance per language.

Fields in braces are filled in by the page; whatever fills them is escaped where it becomes HTML. Sentences of the
engine (reasons, causes, remedies) and of a model's card come from there, in English.
"""

from __future__ import annotations

from ui.texts.computer import MachineTexts, ModelsTexts, OnwardTexts
from ui.texts.create import (
    RIGHTS_OF_CLIP,
    RIGHTS_OF_MODEL,
    STARTERS,
    STARTERS_OF_TOY,
    ExpertTexts,
    FixTexts,
    FormTexts,
    ModelTexts,
    OutlookTexts,
    PictureTexts,
    RightsTexts,
    SavedTexts,
)
from ui.texts.door import DoorTexts, LanTexts, ServerTexts
from ui.texts.work import ClipTexts, QueueTexts, SheetTexts, ShelfTexts, StripTexts

__all__ = ["RIGHTS_OF_CLIP", "RIGHTS_OF_MODEL", "STARTERS", "STARTERS_OF_TOY", "RightsTexts"]

DOOR = DoorTexts()
SERVER = ServerTexts()
LAN = LanTexts()
FORM = FormTexts()
EXPERT = ExpertTexts()
PICTURE = PictureTexts()
SAVED = SavedTexts()
MODEL = ModelTexts()
OUTLOOK = OutlookTexts()
FIX = FixTexts()
STRIP = StripTexts()
SHEET = SheetTexts()
CLIP = ClipTexts()
QUEUE = QueueTexts()
SHELF = ShelfTexts()
MODELS = ModelsTexts()
MACHINE = MachineTexts()
ONWARD = OnwardTexts()
