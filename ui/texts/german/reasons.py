"""Why a plan is as it is, and why something cannot be planned, in German; used like `sentences`."""

from __future__ import annotations

REASONS = {
    # which words and levels
    "{}: “{}” was added to the prompt.": "{}: dem Text hinzugefügt wurde „{}“.",
    "{} changes nothing here: {} cannot do it.": "{} ändert hier nichts: {} kann das nicht.",
    "The usual negative prompt forbids what {} asks for; left out: {}.": (
        "Was sonst nicht zu sehen sein soll, verbietet, was {} verlangt; weggelassen: {}."
    ),
    "The recipe's own words are used: “{}”": "Es gelten die Worte des Rezepts: „{}“",
    "{} does not know: {}.": "{} kennt nicht: {}.",
    "It will ignore those words.": "Diese Wörter bleiben unbeachtet.",
    "{} draws the end first: before it, the take shows the picture standing still.": (
        "{} zeichnet zuerst das Ende: davor zeigt der Entwurf das Bild, wie es stillsteht."
    ),
    "Faster, a little less exact, as asked: {}.": "Schneller und etwas weniger genau, wie verlangt: {}.",
    "not measured for this model": "für dieses Modell nicht gemessen",
    "The take is the first {} of the render's {} steps, and the render goes on from there.": (
        "Der Entwurf sind die ersten {} der {} Schritte der fertigen Fassung; sie macht dort weiter."
    ),
    "{} was trained for exactly {} steps of its own in a {}; with other settings the picture may be worse.": (
        "{} ist für genau {} eigene Schritte trainiert ({}); mit anderen Einstellungen kann das Bild schlechter werden."
    ),
    "take": "Entwurf",
    "render": "fertige Fassung",
    "{} draws the take, which is a guide: {}.": "{} zeichnet den Entwurf, der den Weg zeigt: {}.",
    "how well renders keep it was not measured": "wie gut fertige Fassungen ihn halten, wurde nicht gemessen",
    # which size and length
    "{} frames instead of {}: {} works in steps of {} plus {}.": (
        "{} Bilder statt {}: {} arbeitet in Schritten von {} plus {}."
    ),
    "A take of {} instead of {}: {} doubles its takes.": "Ein Entwurf von {} statt {}: {} verdoppelt seine Entwürfe.",
    "{} instead of {}: {} needs multiples of {} pixels.": "{} statt {}: {} braucht Vielfache von {} Pixeln.",
    "The {} ({}, {} s) is read at {} frames a second and {}.": "{} ({}, {} s): gelesen mit {} Bildern je Sekunde, {}.",
    "Only its first {} s are used.": "Nur die ersten {} s davon werden gebraucht.",
    "The model goes on from its end.": "An das Ende schließt das Modell an.",
    "Its last picture is held until the end.": "Das letzte Bild davon bleibt bis zum Schluss stehen.",
    "The render starts on the take and does not look at it again.": (
        "Die fertige Fassung beginnt mit dem Entwurf und sieht es nicht noch einmal an."
    ),
    "scaled": "angepasst",
    "cropped": "beschnitten",
    "padded": "mit Rand",
    "video of the face": "Video des Gesichts",
    # how it goes on from another clip
    "Goes on from a video of {} frames; {} new ones make it {}.": (
        "Schließt an ein Video von {} Bildern an; mit {} neuen werden es {}."
    ),
    "The picture that both share is shown once, and the new part is brought to its colours.": (
        "Das gemeinsame Bild ist einmal zu sehen, und der neue Teil bekommt seine Farben."
    ),
    "The {} pictures that both share are shown once, and the new part is brought to its colours.": (
        "Die {} gemeinsamen Bilder sind einmal zu sehen, und der neue Teil bekommt ihre Farben."
    ),
    "Of a file from elsewhere its last {} seconds are kept, with their sound.": (
        "Von einer fremden Datei bleiben die letzten {} Sekunden, mit ihrem Ton."
    ),
    "What it goes on from has {} frames a second and is brought to {}.": (
        "Das Video davor hat {} Bilder je Sekunde und wird auf {} gebracht."
    ),
    "What it goes on from is {} from {} to {}.": "Das Video davor wird {} von {} auf {}.",
    "{} frames are too short to go on: {} of them are shown already.": (
        "{} Bilder sind zu wenig, um weiterzugehen: {} davon sind schon zu sehen."
    ),
    "Ask for a longer clip.": "Verlange einen längeren Clip.",
    "What this clip goes on from cannot be played.": "Das Video vor diesem Clip lässt sich nicht abspielen.",
    "What this clip goes on from is no longer here.": "Das Video vor diesem Clip ist nicht mehr da.",
    "Choose another.": "Wähle ein anderes.",
    "Choose another clip, take or file.": "Wähle einen anderen Clip, Entwurf oder eine andere Datei.",
    "{}: {} s at {}, {}.": "{}: {} s in {}, {}.",
    "{}, {} of {} GB free.": "{}, {} von {} GB frei.",
    "from 1 run on this machine": "aus 1 Lauf auf diesem Rechner",
    "from {} runs on this machine": "aus {} Läufen auf diesem Rechner",
    "estimated, not measured: {}, the time from other models' runs on this machine": (
        "geschätzt, nicht gemessen: {}, die Zeit nach Läufen anderer Modelle auf diesem Rechner"
    ),
    # where and how it runs
    "Runs on the CPU.": "Läuft auf dem Prozessor.",
    "With {}-bit storage ({}).": "Gespeichert mit {} Bit ({}).",
    "With {}-bit weights ({}).": "Mit Gewichten von {} Bit ({}).",
    "Your words are read with GGUF weights.": "Deine Worte werden mit GGUF-Gewichten gelesen.",
    "Full precision": "volle Genauigkeit",
    "8-bit storage (fp8)": "Speicher von 8 Bit (fp8)",
    "8-bit weights (int8)": "Gewichte von 8 Bit (int8)",
    "4-bit weights (nf4)": "Gewichte von 4 Bit (nf4)",
    "GGUF weights": "GGUF-Gewichte",
    "{} comes with its weights made smaller already; {} cannot be had of it.": (
        "Die Gewichte von {} kommen schon verkleinert; {} gibt es davon nicht."
    ),
    "{} does not come as a GGUF file.": "{} gibt es nicht als GGUF-Datei.",
    "{} cannot be read from a GGUF file.": "{} lässt sich nicht aus einer GGUF-Datei lesen.",
    "{} need a graphics card of NVIDIA, AMD or Intel.": "{} brauchen eine Karte von NVIDIA, AMD oder Intel.",
    "Apple GPUs do not know the number format fp8.": "Grafikchips von Apple kennen das Zahlenformat fp8 nicht.",
    "There is nothing to offload to on the CPU.": "Vom Prozessor lässt sich nirgendwohin auslagern.",
    "{} uses the computer's own memory, so there is nothing to offload to.": (
        "{} nutzt den Arbeitsspeicher des Rechners; auszulagern gibt es da nichts."
    ),
    "The model stays as it is loaded: to load it anew takes longer.": (
        "Das Modell bleibt, wie es geladen ist: neu zu laden dauert länger."
    ),
    "{} is computed in 32 bits, which is slower and takes more memory: {} has no bfloat16, and in its 16 bits the"
    " pictures of this model turn black.": (
        "{} wird mit 32 Bit berechnet, langsamer und mit mehr Speicher: {} kennt kein bfloat16, und mit den 16 Bit, die"
        " sie hat, werden die Bilder dieses Modells schwarz."
    ),
    "{} cannot be streamed: bitsandbytes keeps a copy of them on the card.": (
        "{} lassen sich nicht stückweise laden: bitsandbytes behält eine Kopie davon auf der Karte."
    ),
    "Its blocks are compiled, as asked: the first steps of each size take longer. What it saves was not measured.": (
        "Die Blöcke werden übersetzt, wie verlangt: die ersten Schritte jeder Größe dauern länger. Was es spart, wurde "
        "nicht gemessen."
    ),
    "Its blocks are compiled, as asked: the first steps of each size take longer.": (
        "Die Blöcke werden übersetzt, wie verlangt: die ersten Schritte jeder Größe dauern länger."
    ),
    "What it saves was not measured.": "Was es spart, wurde nicht gemessen.",
    "Its blocks are compiled: {} times as fast by this card's test, which saves more than the {} s that it takes "
    "at first.": (
        "Seine Blöcke werden übersetzt: nach dem Test dieser Karte {}-mal so schnell, was mehr spart als die {} s, "
        "die es anfangs kostet."
    ),
    "Its blocks are not compiled: that needs all weights on the card in full precision, and they do not fit.": (
        "Die Blöcke werden nicht übersetzt: dazu müssten alle Gewichte in voller Genauigkeit auf die Karte, und sie "
        "passen nicht."
    ),
    "{} cannot be compiled block by block.": "{} lässt sich nicht Block für Block übersetzen.",
    "Compiling needs an NVIDIA card under Linux.": "Übersetzen braucht eine Karte von NVIDIA unter Linux.",
    "{} is too old for compiled blocks.": "{} ist zu alt für übersetzte Blöcke.",
    "The text encoder stays ready in the computer's memory: the card has no room for it.": (
        "Der Textleser bleibt im Arbeitsspeicher bereit: auf der Karte ist kein Platz für ihn."
    ),
    "Few steps and another guide for the take do not go together.": (
        "Wenige Schritte und ein anderer Zeichner für den Entwurf vertragen sich nicht."
    ),
    "{} is a model, and only draws takes.": "{} ist ein Modell und zeichnet nur Entwürfe.",
    "Choose a LoRA of few steps.": "Wähle ein LoRA mit wenigen Schritten.",
    "Drawn in few steps by {}: {}.": "In wenigen Schritten gezeichnet von {}: {}.",
    "what it costs was not measured": "was das kostet, wurde nicht gemessen",
    "Compiled blocks and LoRAs do not go together: each change would compile anew.": (
        "Übersetzte Blöcke und LoRAs vertragen sich nicht: jede Änderung müsste neu übersetzt werden."
    ),
    "Leave the model as it is.": "Lass das Modell, wie es ist.",
    "Leave the attention to Rushes, or choose another.": "Überlass die Attention Rushes, oder wähle eine andere.",
    "Attention by {} needs an NVIDIA card.": "Diese Attention braucht eine Karte von NVIDIA.",
    "{} has its attention built in; another one cannot be chosen.": (
        "{} hat seine Attention eingebaut; eine andere lässt sich nicht wählen."
    ),
    "{} leaves out empty words by a mask, which {} cannot take.": (
        "{0} lässt leere Wörter mit einer Maske weg, womit {1} nicht umgehen kann."
    ),
    "{} is not installed.": "{} ist nicht installiert.",
    "Attention by {}: {} times as fast as torch's own choice, by this card's test.": (
        "Attention mit {0}: beim Test dieser Karte {1}-mal so schnell wie die von torch selbst gewählte."
    ),
    "It rounds to 8 bits; what the picture loses was not measured.": (
        "Sie rundet auf 8 Bit; was das Bild dabei verliert, wurde nicht gemessen."
    ),
    "It differs from exact arithmetic by {}.": "Es weicht um {} von genauem Rechnen ab.",
    "Attention by {} does not compute rightly on this computer.": (
        "Attention mit {} rechnet auf diesem Computer nicht richtig."
    ),
    "Leave the attention to Rushes and test the card again under My machine, which then leaves it out.": (
        "Überlass die Attention Rushes und teste die Karte noch einmal unter „Mein Gerät“, dann bleibt sie aus dem "
        "Spiel."
    ),
    "{} is too old for attention by {}.": "{} ist zu alt für diese Attention ({}).",
    "{} is too old for {}.": "{} ist zu alt für {}.",
    "{} is {} GB to download, and {} GB are free on the disk for models.": (
        "{} lädt {} GB herunter, und auf der Platte für Modelle sind {} GB frei."
    ),
    # LoRAs
    "The LoRAs are worked into the weights, which are streamed block by block; another LoRA or strength loads the "
    "model again.": (
        "Die LoRAs sind in die Gewichte eingearbeitet, die Block für Block kommen; eine andere LoRA oder Stärke lädt "
        "das Modell neu."
    ),
    "The LoRA '{}' acts on the {} steps only: its half for the {} ones is not here.": (
        "Die LoRA „{}“ wirkt nur auf die {} Schritte: ihre Hälfte für die {} ist nicht da."
    ),
    "early": "frühen",
    "late": "späten",
    "The LoRA '{}' is joined with its other half, '{}'.": "Zur LoRA „{}“ kommt ihre andere Hälfte, „{}“.",
    "The LoRA '{}' does not say which half of a pair it is: it acts on all steps.": (
        "Die LoRA „{}“ sagt nicht, welche Hälfte eines Paares sie ist: sie wirkt auf alle Schritte."
    ),
    "Left out of the LoRA '{}': changes to norms ({}).": "Von der LoRA „{}“ bleiben weg: Änderungen an Normen ({}).",
    "Left out of the LoRA '{}': layers for the text encoder ({}).": (
        "Von der LoRA „{}“ bleiben weg: Schichten für den Textleser ({})."
    ),
    "Left out of the LoRA '{}': layers for the text connectors ({}).": (
        "Von der LoRA „{}“ bleiben weg: Schichten für die Textverbindung ({})."
    ),
    "Left out of the LoRA '{}': layers for an image encoder ({}).": (
        "Von der LoRA „{}“ bleiben weg: Schichten für einen Bildleser ({})."
    ),
    "Left out of the LoRA '{}': layers that this model has not ({}).": (
        "Von der LoRA „{}“ bleiben weg: Schichten, die dieses Modell nicht hat ({})."
    ),
    "{} could each be the other half of '{}'.": "{} könnten beide die andere Hälfte von „{}“ sein.",
    "Choose the right one too.": "Wähle die richtige dazu.",
    "The prompt names the LoRA '{}', which is not on this computer, or more than once.": (
        "Der Text nennt die LoRA „{}“, die nicht auf diesem Rechner ist, oder mehr als einmal."
    ),
    "Choose it in the LoRA list, or take its <lora:...> out of the prompt.": (
        "Wähle sie in der Liste der LoRAs, oder nimm ihr <lora:...> aus dem Text."
    ),
    "This job made the queue stop twice at the same place.": (
        "Dieser Auftrag hat zweimal an derselben Stelle alles angehalten."
    ),
    "Try again with other settings; if it happens again, run `app.py doctor`.": (
        "Versuch es mit anderen Einstellungen; geschieht es wieder, ruf `app.py doctor` auf."
    ),
    "{} takes no LoRAs.": "{} nimmt keine LoRAs.",
    "Choose another model, or leave the LoRA out.": "Wähle ein anderes Modell, oder lass die LoRA weg.",
    "The LoRA '{}' is broken: some of its numbers overflowed when it was trained or converted.": (
        "Die LoRA „{}“ ist kaputt: beim Lernen oder Umwandeln liefen einige ihrer Zahlen über."
    ),
    "Get its file again, or an earlier step of its training, or leave the LoRA out.": (
        "Hol die Datei neu, nimm einen früheren Stand des Lernens, oder lass die LoRA weg."
    ),
    "{} is damaged: a part of '{}' is missing.": "{} ist beschädigt: ein Teil von „{}“ fehlt.",
    "Get the file again.": "Hol die Datei neu.",
    "The file of '{}' does not say for certain which model family it was made for.": (
        "Die Datei von „{}“ sagt nicht sicher, für welche Modelle sie gemacht ist."
    ),
    "The LoRA '{}' says nothing about its licence: ask its maker before selling the clip.": (
        "Die LoRA „{}“ sagt nichts über ihre Lizenz: frag vor dem Verkauf des Clips nach."
    ),
    "a model that Rushes does not know": "ein Modell, das Rushes nicht kennt",
    "{} LoRAs have this name; use its id.": "{} LoRAs heißen so; nimm ihre Kennung.",
    "See `app.py loras` for their names.": "Ihre Namen zeigt `app.py loras`.",
    "{} LoRAs at once are too many.": "{} LoRAs auf einmal sind zu viele.",
    "'{}' and '{}' are one LoRA in two halves.": "„{}“ und „{}“ sind eine LoRA in zwei Hälften.",
    "Give both the same strength.": "Gib beiden dieselbe Stärke.",
    "'{}' is a pair for a model of two transformers, which {} is not.": (
        "„{}“ ist ein Paar für ein Modell mit zwei Transformern, was {} nicht ist."
    ),
    "Choose a model such as Wan 2.2 A14B, or one half of the pair.": (
        "Wähle ein Modell wie Wan 2.2 A14B, oder eine Hälfte des Paares."
    ),
    "The LoRA '{}' of this shot is not on this computer.": (
        "Die LoRA „{}“ dieser Einstellung ist nicht auf diesem Rechner."
    ),
    "The LoRA '{}' is not on this computer.": "Die LoRA „{}“ ist nicht auf diesem Rechner.",
    # who draws takes
    "'{}' cannot draw the takes of {}.": "„{}“ kann für {} keine Entwürfe zeichnen.",
    "{} cannot draw for {}.": "{} kann nicht für {} zeichnen.",
    "Choose {}, or let the model draw them itself.": "Wähle {}, oder lass das Modell sie selbst zeichnen.",
    "Let the model draw them itself.": "Lass das Modell sie selbst zeichnen.",
    "Let the model draw its takes itself.": "Lass das Modell seine Entwürfe selbst zeichnen.",
    "A take that something else drew cannot be continued.": (
        "Ein Entwurf, den etwas anderes gezeichnet hat, lässt sich nicht fortsetzen."
    ),
    "Let the render refine it.": "Lass die fertige Fassung ihn verfeinern.",
    "No outcome is chosen.": "Keine Güte ist gewählt.",
    "Choose draft, standard or best first.": "Wähle zuerst Skizze, Normal oder Bestmöglich.",
    "Nothing is given for that.": "Dafür ist nichts gegeben.",
    "Choose a picture or a video first.": "Wähle zuerst ein Bild oder ein Video.",
}
