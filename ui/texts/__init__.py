"""Every text of the page and of its address in English, in one place: a class for each part of the page.

`ui/locale` holds the other languages. Fields in braces are filled in by the page; whatever fills them is escaped where
it becomes HTML. What the engine and a model's card say comes from there.
"""

from __future__ import annotations

from ui.locale import SPOKEN, spoken
from ui.texts import create
from ui.texts.computer import HousingTexts, MachineTexts, ModelsTexts, OnwardTexts
from ui.texts.create import PROMPTS, PROMPTS_OF_TOY, RightsTexts
from ui.texts.door import DoorTexts, LanTexts, ServerTexts
from ui.texts.forecast import CapabilityTexts, InsteadTexts, OutcomeTexts, TierTexts, TruthTexts
from ui.texts.words import StyleTexts, WordTexts
from ui.texts.work import ClipTexts, QueueTexts, SheetTexts, ShelfTexts, StripTexts

__all__ = ["PROMPTS", "PROMPTS_OF_TOY", "SPOKEN", "RightsTexts"]

SERVER = ServerTexts()
LAN = LanTexts()

DOOR = spoken(DoorTexts())
FORM = spoken(create.FormTexts())
STARTERS = spoken(create.StarterTexts())
EXPERT = spoken(create.ExpertTexts())
PICTURE = spoken(create.PictureTexts())
LORA = spoken(create.LoraTexts())
STYLES = spoken(StyleTexts())
SAVED = spoken(create.SavedTexts())
MODEL = spoken(create.ModelTexts())
OUTLOOK = spoken(create.OutlookTexts())
OUTCOME = spoken(OutcomeTexts())
TIER = spoken(TierTexts())
INSTEAD = spoken(InsteadTexts())
CAPABILITY = spoken(CapabilityTexts())
TRUTH = spoken(TruthTexts())
FIX = spoken(create.FixTexts())
STRIP = spoken(StripTexts())
SHEET = spoken(SheetTexts())
CLIP = spoken(ClipTexts())
QUEUE = spoken(QueueTexts())
SHELF = spoken(ShelfTexts())
MODELS = spoken(ModelsTexts())
HOUSING = spoken(HousingTexts())
MACHINE = spoken(MachineTexts())
ONWARD = spoken(OnwardTexts())
WORDS = spoken(WordTexts())
RIGHTS_OF_MODEL = spoken(
    RightsTexts(
        "You may sell the clips it makes ({licence}).",
        "You may sell the clips it makes, under conditions ({licence}).",
        "The clips it makes may not be sold ({licence}).",
    ),
)
RIGHTS_OF_CLIP = spoken(
    RightsTexts(
        "You may sell this clip ({licence}).",
        "You may sell this clip, under conditions ({licence}).",
        "This clip may not be sold ({licence}).",
    ),
)
