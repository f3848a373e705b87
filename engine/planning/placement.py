"""Where a model's parts live and in which number format: pure arithmetic over the card and the machine.

Full precision comes first: streaming the weights from RAM costs a few percent where the clip is large, and changes no
pixel. Smaller formats alter the picture, so they are chosen only where nothing else fits, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from engine.planning import compatibility, compiling, memory_fallback
from engine.planning.compatibility import WORDS, obstacle
from engine.planning.cost import memory, part_gb, resident_share, transformers
from engine.planning.forecast import denoising
from engine.schema import Device, Dtype, HardwareProfile, Offload, Pass, Placement, Precision, Readers, Request, Run
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting
from engine.schema.message import NOTHING, Message

SMALLER: tuple[Precision, ...] = ("full", "fp8", "nf4")
PINNED_SHARE = 0.5  # of the RAM: more page-locked memory than that leaves too little for everything else
USED_SHARE = 0.92  # of the card's free memory
PAYS = 0.98  # of the time: what saves less is left alone
WAITING_SHARE = 0.5  # of the RAM: what waits for new words must leave the rest to other programs

Placed = tuple[Placement, list[Message]]  # and the reasons for it


def place(request: Request, card: ModelCard, hardware: HardwareProfile, runs: tuple[Pass, Pass]) -> Placed:
    """The placement of a plan and the reasons for it. `runs`: take and render. Raises BadSetting."""
    device = _device(request, hardware)
    native: Precision = "gguf" if card.is_gguf else "full"
    precision, offload = request.precision or native, request.offload or "resident"
    if hindrance := obstacle(card, device, precision, offload):
        raise BadSetting(hindrance, Message("Leave the number format and the offloading to Rushes, or choose others."))
    if hindrance := compatibility.attention_obstacle(request.attention, card, device, hardware.attention_packages):
        raise BadSetting(hindrance, Message("Leave the attention to Rushes, or choose another."))
    if request.compiled and (hindrance := compiling.compile_obstacle(request, card, device, hardware.system)):
        raise BadSetting(hindrance, Message("Leave the model as it is."))
    if device.kind == "cpu":
        placed = Placement(device="cpu", kind="cpu", dtype="float32", precision=precision,
                           text_encoder="dropped" if request.drop_text_encoder else "resident",
                           vae_tiling=request.vae_tiling, vae_slicing=request.vae_tiling)  # fmt: skip
        told: list[Message] = [_told_of_cpu(placed, request)]
    else:
        placed, told = _on_card(request, card, hardware, runs)
    placed, reader = _readers(request, card, placed, hardware, runs)
    way, why = compatibility.choose(request.attention, card, device, hardware.attention_packages, request.faster)
    compiled = request.compiled and placed.whole
    reasons = [*told, reader, why, *_number_format(card, device, placed)]
    reasons += [compiling.SAID if compiled else compiling.NOT_WHOLE] if request.compiled else []
    return placed.but(attention=way, compiled=compiled), reasons


def _device(request: Request, hardware: HardwareProfile) -> Device:
    """The device that was asked for, or the best one. Raises BadSetting."""
    named = {device.id: device for device in hardware.devices}
    chosen = request.device or hardware.best.id
    if chosen not in named:
        raise BadSetting(
            Message("This machine has no device called '{chosen}'.", chosen=chosen[:20]),
            Message("Choose one of: {named}.", named=named),
        )
    return named[chosen]


def _told_of_cpu(placement: Placement, request: Request) -> Message:
    alone = Message("Runs on the CPU: no graphics card that models can use was found.")
    reason = Message("Runs on the CPU.") if request.device else alone
    return Message.joined([reason, _smaller_on_cpu(placement)])


def _smaller_on_cpu(placement: Placement) -> Message:
    if placement.precision == "full":
        return NOTHING
    return Message("With {format}.", format=WORDS[placement.precision])


def _on_card(
    request: Request, card: ModelCard, hardware: HardwareProfile, runs: tuple[Pass, Pass]
) -> tuple[Placement, list[Message]]:
    """The first way that fits, in the order of how little it costs, or the one that is loaded, where it fits and keeps
    the same number formats; the last one when none does."""
    device = _device(request, hardware)
    loaded, first = hardware.loaded_on(device.id), None
    for way in _tries(request, card, device):
        way = _pinned(card, _readers(request, card, way, hardware, runs)[0], hardware)
        if first and (not loaded.startswith(f"{card.id}\n") or _formats_of(way) != _formats_of(first)):
            break
        if not _fits(way, card, runs, (device, hardware)):
            continue
        way = _with_some_resident(request, card, way, runs, (device, hardware))
        first = first or way
        if _is_loaded(way, card, loaded):
            kept = [Message("The model stays as it is loaded: to load it anew takes longer.")] if way != first else []
            return way, [_told(way, device, card), *kept]
    if first is None:
        worst = Message(
            "{model} is larger than {device} and this computer's memory hold; it will probably not run.",
            model=card.name,
            device=device.name,
        )
        return way, [worst]
    return first, [_told(first, device, card)]


def _formats_of(way: Placement) -> tuple[Precision, Precision | None]:
    return way.precision, way.text_precision


def _fits(way: Placement, card: ModelCard, runs: tuple[Pass, Pass], there: tuple[Device, HardwareProfile]) -> bool:
    device, hardware = there
    needs = [memory(card, run, way) for run in runs]
    vram_gb, ram_gb = max(vram for vram, _ in needs), max(ram for _, ram in needs)
    room_gb = USED_SHARE * device.vram_free_gb
    if device.shares_ram:
        return vram_gb + ram_gb <= room_gb
    return vram_gb <= room_gb and ram_gb <= 0.85 * hardware.ram_free_gb


def _with_some_resident(
    request: Request, card: ModelCard, way: Placement, runs: tuple[Pass, Pass], there: tuple[Device, HardwareProfile]
) -> Placement:
    """As much of a streamed model on the card as there is room for, where bringing it takes longer than it computes; as
    much as lies there already, where that is no more."""
    device, hardware = there
    streamed_as_asked = request.offload == "group" and request.vram_gb is None
    worn_beside = bool(request.loras) and way.precision not in ("full", "fp8")  # diffusers then streams all of it anew
    if way.offload != "group" or streamed_as_asked or worn_beside:
        return way
    room_gb = USED_SHARE * device.vram_free_gb - max(memory(card, run, way)[0] for run in runs)
    whole_gb = part_gb("transformer", card.components["transformer"], way)
    most_gb = int(10 * min(room_gb / transformers(card), 0.95 * whole_gb)) / 10
    if most_gb < 1:
        return way

    def seconds(placement: Placement, run: Pass) -> float:
        return sum(denoising(card, run, placement, device, hardware.cpu_count))

    kept = _pinned(card, way.but(resident_gb=most_gb), hardware)
    if all(seconds(kept, run) > PAYS * seconds(way, run) for run in runs):
        return way
    model, *lasting = hardware.loaded_on(device.id).split("\n")[:2]
    if lasting and model == card.id:
        loaded = Placement.model_validate_json(lasting[0])
        same = kept.but(resident_gb=loaded.resident_gb)
        if 0 < loaded.resident_gb <= most_gb and same.lasting == loaded:
            return same
    return kept


def _is_loaded(way: Placement, card: ModelCard, loaded: str) -> bool:
    return loaded.split("\n")[:2] == [card.id, way.lasting.model_dump_json()]


def _tries(request: Request, card: ModelCard, device: Device) -> Iterator[Placement]:
    """Every placement that works here, in the order of how little it costs."""
    dtype = _dtype(card, device)
    for precision, offload in _ways(request, card, device):
        leaves = offload == "resident" and not device.shares_ram and precision != "int8"  # 8 bits cannot be streamed
        readers: tuple[Readers, ...] = ("resident", "streamed", "dropped") if leaves else ("resident",)
        readers = ("dropped",) if request.drop_text_encoder else readers
        tiles = (True,) if request.vae_tiling else (False, True)
        for drawn, read in _formats(precision, request):
            whole = Placement(device=device.id, kind=device.kind, dtype=dtype, precision=drawn, text_precision=read,
                              offload=offload, vae_on_cpu=request.vae_on_cpu)  # fmt: skip
            by_layer = (False, True) if whole.bits and offload != "resident" else (False,)
            for text_encoder, slowly, tiling in product(readers, by_layer, tiles):
                yield whole.but(text_encoder=text_encoder, layer_by_layer=slowly, vae_tiling=tiling, vae_slicing=tiling)


def _formats(precision: Precision, request: Request) -> list[tuple[Precision, Precision | None]]:
    """Formats of transformer and text encoder that a smaller one leads to. The words bear it best, both at last."""
    if request.precision or precision not in SMALLER[1:]:
        return [(precision, None)]
    return [("full", precision), (precision, "full"), (precision, None)]


def _readers(
    request: Request, card: ModelCard, placed: Placement, hardware: HardwareProfile, runs: tuple[Pass, Pass]
) -> tuple[Placement, Message]:
    """Whether the text encoder stays, where that is still open, and why."""
    if request.drop_text_encoder:
        return placed, Message("The text encoder is let go once the words are read, as asked.")
    beside = placed.text_encoder == "streamed"
    waits_in_ram = beside or placed.offload != "resident" or placed.kind in ("cpu", "mps")
    if waits_in_ram and max(memory(card, run, placed)[1] for run in runs) > WAITING_SHARE * hardware.ram_gb:
        dropped = placed.but(text_encoder="dropped")
        return (
            dropped,
            Message("The text encoder is let go once the words are read: kept, more than half of the memory is full."),
        )
    if placed.text_encoder == "dropped":
        return placed, Message(
            "The text encoder is streamed from the computer's memory and let go: there is no room for both."
        )
    if beside:
        return (
            placed,
            Message("The text encoder stays ready in the computer's memory: the card has no room for it."),
        )
    return placed, Message("The text encoder stays ready for new words: there is room for it.")


def _ways(request: Request, card: ModelCard, device: Device) -> list[tuple[Precision, Offload]]:
    """The combinations that work here, in the order of how little they cost."""
    offloads: tuple[Offload, ...] = (request.offload,) if request.offload else ("resident", "model", "group")
    precisions = (request.precision,) if request.precision else (*SMALLER, *(("gguf",) if card.is_gguf else ()))
    return [(p, o) for p in precisions for o in offloads if not obstacle(card, device, p, o)]


def _pinned(card: ModelCard, placement: Placement, hardware: HardwareProfile) -> Placement:
    """With the weights locked in RAM where streaming may, which hides the transfers; not every device can."""
    waits = {name: part for name, part in card.components.items()
             if not (placement.text_encoder == "dropped" and name.startswith("text_encoder"))}  # fmt: skip
    on_card = resident_share(card, placement)
    weights_gb = sum(part_gb(name, part, placement) * (1 - on_card if name.startswith("transformer") else 1)
                     for name, part in waits.items())  # fmt: skip
    streamed = placement.offload == "group" and placement.capabilities.pinned_memory
    return placement.but(pin_memory=streamed and weights_gb <= PINNED_SHARE * hardware.ram_gb)


def _told(placement: Placement, device: Device, card: ModelCard) -> Message:
    how = {
        "resident": Message("Runs on {device}, whole.", device=device.name),
        "model": Message("Runs on {device}, one part at a time: all of it at once does not fit.", device=device.name),
        "group": Message(
            "Runs on {device}, streamed from the computer's memory block by block: it does not fit whole.",
            device=device.name,
        ),
    }[placement.offload]
    stays = NOTHING
    if placement.resident_gb:
        whole_gb = part_gb("transformer", card.components["transformer"], placement)
        stays = Message(
            "{resident_gb:.1f} of {whole_gb:.1f} GB stay there, which is faster.",
            resident_gb=placement.resident_gb,
            whole_gb=whole_gb,
        )
    tiled = Message("The pictures are decoded in tiles.") if placement.vae_tiling else NOTHING
    smaller = (
        Message("With {format}, which changes the picture a little.", format=WORDS[placement.precision])
        if placement.precision != "full"
        else NOTHING
    )
    words = {
        None: NOTHING,
        "full": Message("Your words are read in full precision."),
    }.get(
        placement.text_precision,
        Message("Your words are read with {format}.", format=WORDS[placement.precision_of("text_encoder")]),
    )
    slow = placement.offload == "group" and not placement.pin_memory
    pieces = Message("The weights are more than half of the memory, so they travel slower.") if slow else NOTHING
    return Message.joined([how, stays, tiled, smaller, words, pieces])


def _dtype(card: ModelCard, device: Device) -> Dtype:
    """bfloat16 where the device computes it; on older cards float16 where the model bears it, else float32."""
    if device.capabilities.bf16:
        return "bfloat16"
    return "float16" if card.float16 else "float32"


def _number_format(card: ModelCard, device: Device, placed: Placement) -> list[Message]:
    """Why a card computes in twice the bits."""
    if device.kind == "cpu" or placed.dtype != "float32":
        return []
    return [
        Message(
            "{model} is computed in 32 bits, which is slower and takes more memory: {device} has no "
            "bfloat16, and in its 16 bits the pictures of this model turn black.",
            model=card.name,
            device=device.name,
        )
    ]


def within(request: Request, hardware: HardwareProfile) -> HardwareProfile:
    """The machine, with no more of its cards' memory free than the request allows. Raises BadSetting."""
    if request.vram_gb is None:
        return hardware
    if not 0.5 <= request.vram_gb <= 1000:
        raise BadSetting(
            Message("{vram_gb:g} GB of VRAM is out of range.", vram_gb=request.vram_gb),
            Message("Allow the plan 0.5 GB or more."),
        )
    if not any(device.vram_gb for device in hardware.devices):
        raise BadSetting(
            Message("There is no graphics card here whose memory could be spared."), Message("Leave that choice out.")
        )
    spared = [device.but(vram_free_gb=min(device.vram_free_gb, request.vram_gb)) for device in hardware.devices]
    return hardware.but(devices=tuple(spared))


def learned(
    placement: Placement, request: Request, card: ModelCard, history: tuple[int, Sequence[Run]], reasons: list[Message]
) -> Placement:
    """Where the plan starts after what happened here with this model to clips of so many pixels."""
    pixels, runs = history
    chosen = request.model_dump(include={"offload", "precision"}, exclude_none=True)
    own = [run for run in runs if run.model == card.id]
    learned, why = memory_fallback.start_at(placement, pixels, own, chosen)
    if not why or not memory_fallback.works(learned, card):
        return placement
    reasons.append(why)
    return learned
