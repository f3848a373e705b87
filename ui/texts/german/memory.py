"""What is said when memory runs out and when a card is slower than it could be, in German; used like `sentences`."""

from __future__ import annotations

MEMORY = {
    # what ran out, and while what
    "The graphics card's memory (VRAM)": "Der Speicher der Grafikkarte (VRAM)",
    "The graphics card's memory (VRAM) was in pieces too small to use, so it": (
        "Der Speicher der Grafikkarte (VRAM), in zu kleine Stücke zerteilt,"
    ),
    "The part of the computer's memory that the graphics card reads directly (pinned RAM)": (
        "Der Teil des Arbeitsspeichers, den die Grafikkarte unmittelbar liest (pinned RAM),"
    ),
    "The computer's memory (RAM)": "Der Arbeitsspeicher (RAM)",
    "The page file of Windows (virtual memory)": "Die Auslagerungsdatei von Windows (virtueller Speicher)",
    "while the model was being loaded": "beim Laden des Modells",
    "while the shot was being drawn": "beim Zeichnen der Einstellung",
    "while the pictures were being decoded": "beim Entschlüsseln der Bilder",
    "{} ran out {}.": "{} ging {} aus.",
    "Nothing smaller is left to try.": "Kleiner lässt sich nichts mehr versuchen.",
    "Memory ran out here before with this model.": "Mit diesem Modell ging hier schon einmal der Speicher aus.",
    "Close other programs, or choose a shorter clip, a smaller size or a smaller model.": (
        "Schließe andere Programme, oder nimm einen kürzeren Clip, eine kleinere Größe oder ein kleineres Modell."
    ),
    # what is done about it
    "The engine starts afresh, with its memory in one piece.": (
        "Die Maschine beginnt neu, ihr Speicher ist wieder ganz."
    ),
    "The model is moved to the graphics card one part at a time.": (
        "Das Modell kommt ein Teil nach dem anderen auf die Grafikkarte."
    ),
    "The model is streamed from the computer's memory block by block.": (
        "Das Modell fließt Block für Block aus dem Arbeitsspeicher."
    ),
    "Less of the model stays on the graphics card.": "Vom Modell bleibt weniger auf der Grafikkarte.",
    "The text encoder waits in the computer's memory.": "Der Textleser wartet im Arbeitsspeicher.",
    "The text encoder is let go once the words are read.": "Der Textleser geht, sobald die Worte gelesen sind.",
    "The model is streamed from ordinary memory, which is a little slower.": (
        "Das Modell fließt aus gewöhnlichem Speicher, was ein wenig langsamer ist."
    ),
    "The model's weights are made smaller layer by layer, in the computer's memory.": (
        "Die Gewichte des Modells werden Schicht für Schicht verkleinert, im Arbeitsspeicher."
    ),
    "The pictures are decoded a few frames at a time.": "Die Bilder werden wenige auf einmal entschlüsselt.",
    "The pictures are decoded in tiles.": "Die Bilder werden in Kacheln entschlüsselt.",
    "The pictures are decoded by the processor, which is slower.": (
        "Die Bilder entschlüsselt der Prozessor, was langsamer ist."
    ),
    "The model's weights are stored in 8 bits.": "Die Gewichte des Modells liegen in 8 Bit.",
    "The model's weights are stored in 4 bits.": "Die Gewichte des Modells liegen in 4 Bit.",
    "The clip gets {} frames instead of {} ({} seconds).": "Der Clip bekommt {} Bilder statt {} ({} Sekunden).",
    "The picture gets {} pixels instead of {}.": "Das Bild bekommt {} Punkte statt {}.",
    "You agreed to it.": "Du warst einverstanden.",
    "It can go on like this: The clip gets {} frames instead of {} ({} seconds).": (
        "So kann es weitergehen: Der Clip bekommt {} Bilder statt {} ({} Sekunden)."
    ),
    "It can go on like this: The picture gets {} pixels instead of {}.": (
        "So kann es weitergehen: Das Bild bekommt {} Punkte statt {}."
    ),
    "It can go on like this: {}": "So kann es weitergehen: {}",
    # why a card was slow
    "The graphics card's memory was full, so Windows lent it some of the computer's, which is far slower.": (
        "Der Speicher der Grafikkarte war voll, und Windows lieh ihr von dem des Rechners, der weit langsamer ist."
    ),
    "Choose a smaller size or offloading, or switch off 'CUDA - Sysmem Fallback Policy' in the NVIDIA panel.": (
        "Nimm eine kleinere Größe oder lagere aus, oder schalte „CUDA - Sysmem Fallback Policy“ bei NVIDIA ab."
    ),
    "The graphics card was hot and slowed itself down.": "Die Grafikkarte war heiß und bremste sich.",
    "Give it air: clean fans, open the case.": "Gib ihr Luft: säubere die Lüfter, öffne das Gehäuse.",
    "The graphics card was held back by its power limit.": "Die Grafikkarte durfte nicht mehr Strom nehmen.",
    "Plug a laptop in and choose its high-performance plan; raise a lowered power limit.": (
        "Schließe einen Laptop ans Netz an und wähle Höchstleistung; hebe eine gesenkte Grenze an."
    ),
    "The graphics card waited for data most of the time.": "Die Grafikkarte wartete die meiste Zeit auf Daten.",
    "A smaller number format needs less moving; a faster slot or more free memory (RAM) helps too.": (
        "Ein kleineres Zahlenformat braucht weniger Wege; auch ein schnellerer Steckplatz oder mehr freier "
        "Arbeitsspeicher hilft."
    ),
    "The graphics card worked all the time and was still far slower than it can be: a slow way through the attention "
    "was taken.": (
        "Die Grafikkarte arbeitete die ganze Zeit und war doch weit langsamer, als sie kann: die Aufmerksamkeit nahm "
        "einen langsamen Weg."
    ),
    "Run `python bootstrap.py --torch` to see whether this torch build fits the card.": (
        "Rufe `python bootstrap.py --torch` auf, um zu sehen, ob dieses torch zur Karte passt."
    ),
    # the disk
    "{} is {} GB to download, and {} GB are free on the disk for models.": (
        "Für {} sind {} GB zu laden, und auf der Platte für Modelle sind {} GB frei."
    ),
}
