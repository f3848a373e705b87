"""Rushes' inference engine. Everything a face may use is here; everything else may change.

No torch, no gradio: models run in `engine.worker`, a process of its own.
"""

from engine.diagnostics import Finding, examine, support_file
from engine.engine import Engine
from engine.install.model_location import Housed, Move, MoveQuote
from engine.jobs.card_test import CardTest
from engine.jobs.kinds import Kind, all_kinds, kind_of
from engine.jobs.kinds.take import MAX_TAKES
from engine.jobs.scheduler import LostLane, lost_lane
from engine.media.images import MAX_PICTURE_BYTES
from engine.media.videos import MAX_FILE_BYTES as MAX_VIDEO_BYTES
from engine.paths import APP
from engine.planning.media_inputs import MAX_PICTURES
from engine.planning.recommendations import Recommendation, Row, Suggestion
from engine.planning.tiers import Tier
from engine.schema import (
    Aspect,
    Beginning,
    Clip,
    Fit,
    HardwareProfile,
    Job,
    LoraUse,
    MediaRole,
    Mode,
    Offload,
    Outcome,
    Overrides,
    PictureRole,
    Plan,
    Precision,
    Recipe,
    Request,
    ShotForecast,
    ShotPlan,
    ShotStage,
    Take,
    Thrown,
    VideoRole,
)
from engine.schema.card import ModelCard
from engine.schema.errors import (
    BadFile,
    BadInput,
    BadOwnFile,
    BadPrompt,
    BadSetting,
    HubProblem,
    InUse,
    MachineProblem,
    ModelGated,
    ModelProblem,
    RushesError,
    UnknownName,
    not_written,
)
from engine.schema.events import (
    Adjusted,
    Cancelled,
    Event,
    Failed,
    FinalEvent,
    Finished,
    NeedsConsent,
    Noticed,
    Peek,
    Progress,
)
from engine.schema.machine import Reading
from engine.schema.manifest import Download, Quote
from engine.schema.message import Message, filled
from engine.schema.preset import Camera, Look, Preset
from engine.schema.result import as_request
from engine.storage.catalog import PRESET_KINDS, AnyPreset
from engine.storage.lora_library import Half
from engine.storage.recipe_file import read_recipe
from engine.weights.external import Offer
from engine.weights.lora.file import MAX_LORA_BYTES, LoraFile, read_lora

__version__ = "0.1.0"
__all__ = [
    "APP",
    "MAX_LORA_BYTES",
    "MAX_PICTURES",
    "MAX_PICTURE_BYTES",
    "MAX_TAKES",
    "MAX_VIDEO_BYTES",
    "PRESET_KINDS",
    "Adjusted",
    "AnyPreset",
    "Aspect",
    "BadFile",
    "BadInput",
    "BadOwnFile",
    "BadPrompt",
    "BadSetting",
    "Beginning",
    "Camera",
    "Cancelled",
    "CardTest",
    "Clip",
    "Download",
    "Engine",
    "Event",
    "Failed",
    "FinalEvent",
    "Finding",
    "Finished",
    "Fit",
    "Half",
    "HardwareProfile",
    "Housed",
    "HubProblem",
    "InUse",
    "Job",
    "Kind",
    "Look",
    "LoraFile",
    "LoraUse",
    "LostLane",
    "MachineProblem",
    "MediaRole",
    "Message",
    "Mode",
    "ModelCard",
    "ModelGated",
    "ModelProblem",
    "Move",
    "MoveQuote",
    "NeedsConsent",
    "Noticed",
    "Offer",
    "Offload",
    "Outcome",
    "Overrides",
    "Peek",
    "PictureRole",
    "Plan",
    "Precision",
    "Preset",
    "Progress",
    "Quote",
    "Reading",
    "Recipe",
    "Recommendation",
    "Request",
    "Row",
    "RushesError",
    "ShotForecast",
    "ShotPlan",
    "ShotStage",
    "Suggestion",
    "Take",
    "Thrown",
    "Tier",
    "UnknownName",
    "VideoRole",
    "all_kinds",
    "as_request",
    "examine",
    "filled",
    "kind_of",
    "lost_lane",
    "not_written",
    "read_lora",
    "read_recipe",
    "support_file",
]
