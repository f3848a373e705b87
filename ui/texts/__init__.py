"""Every text of the page and of its address, in one place: a class per place, an instance per language.

The classes' defaults are the English; `german/` holds the German. Fields in braces are filled in by the page; whatever
fills them is escaped where it becomes HTML. Sentences of the engine (reasons, causes, remedies) and of a model's card
come from there, in English; `sentences` says the common ones in German. What the terminal says is English.
"""

from __future__ import annotations

from ui.texts import create
from ui.texts.computer import HousingTexts, MachineTexts, ModelsTexts, OnwardTexts
from ui.texts.create import PROMPTS, PROMPTS_OF_TOY, RightsTexts
from ui.texts.door import DoorTexts, LanTexts, ServerTexts
from ui.texts.forecast import CapabilityTexts, InsteadTexts, OutcomeTexts, TierTexts, TruthTexts
from ui.texts.german import computer as german_computer
from ui.texts.german import create as german_create
from ui.texts.german import forecast as german_forecast
from ui.texts.german import work as german_work
from ui.texts.language import LANGUAGES, SPOKEN, spoken
from ui.texts.words import PresetTexts, StyleTexts, WordTexts
from ui.texts.work import ClipTexts, QueueTexts, SheetTexts, ShelfTexts, StripTexts

__all__ = ["LANGUAGES", "PROMPTS", "PROMPTS_OF_TOY", "SPOKEN", "RightsTexts"]

SERVER = ServerTexts()
LAN = LanTexts()

DOOR = spoken(DoorTexts(), german_computer.DOOR)
FORM = spoken(create.FormTexts(), german_create.FORM)
STARTERS = spoken(create.StarterTexts(), german_create.STARTERS)
EXPERT = spoken(create.ExpertTexts(), german_create.EXPERT)
PICTURE = spoken(create.PictureTexts(), german_create.PICTURE)
LORA = spoken(create.LoraTexts(), german_create.LORA)
STYLES = spoken(StyleTexts(), german_create.STYLES)
SAVED = spoken(create.SavedTexts(), german_create.SAVED)
MODEL = spoken(create.ModelTexts(), german_create.MODEL)
OUTLOOK = spoken(create.OutlookTexts(), german_create.OUTLOOK)
OUTCOME = spoken(OutcomeTexts(), german_forecast.OUTCOME)
TIER = spoken(TierTexts(), german_forecast.TIER)
INSTEAD = spoken(InsteadTexts(), german_forecast.INSTEAD)
CAPABILITY = spoken(CapabilityTexts(), german_forecast.CAPABILITY)
TRUTH = spoken(TruthTexts(), german_forecast.TRUTH)
FIX = spoken(create.FixTexts(), german_create.FIX)
STRIP = spoken(StripTexts(), german_work.STRIP)
SHEET = spoken(SheetTexts(), german_work.SHEET)
CLIP = spoken(ClipTexts(), german_work.CLIP)
QUEUE = spoken(QueueTexts(), german_work.QUEUE)
SHELF = spoken(ShelfTexts(), german_work.SHELF)
MODELS = spoken(ModelsTexts(), german_computer.MODELS)
HOUSING = spoken(HousingTexts(), german_computer.HOUSING)
MACHINE = spoken(MachineTexts(), german_computer.MACHINE)
ONWARD = spoken(OnwardTexts(), german_computer.ONWARD)
WORDS = spoken(WordTexts(), german_computer.WORDS)
PRESETS = spoken(PresetTexts(), german_computer.PRESETS)
RIGHTS_OF_MODEL = spoken(
    RightsTexts(
        "You may sell the clips it makes ({licence}).",
        "You may sell the clips it makes, under conditions ({licence}).",
        "The clips it makes may not be sold ({licence}).",
    ),
    german_create.RIGHTS_OF_MODEL,
)
RIGHTS_OF_CLIP = spoken(
    RightsTexts(
        "You may sell this clip ({licence}).",
        "You may sell this clip, under conditions ({licence}).",
        "This clip may not be sold ({licence}).",
    ),
    german_create.RIGHTS_OF_CLIP,
)
