"""Terms of licences, how to write for a model, kinds of machines and recommendations, in German; like `sentences`."""

from __future__ import annotations

TERMS = {
    # under which conditions clips may be sold
    "commercial use is allowed; the use restrictions of the licence (no harm, deception or unlawful use) "
    "go with the model and its clips": (
        "gewerblich erlaubt; die Einschränkungen der Lizenz (kein Schaden, keine Täuschung, nichts "
        "Ungesetzliches) gelten für das Modell und seine Clips"
    ),
    "free below 10 million dollars of yearly revenue, above it a paid licence from Lightricks; published "
    "clips must be marked as made by a machine; no use in a product that competes with Lightricks' own; "
    "no commercial training of other models; the further restrictions of its attachment A apply": (
        "kostenlos unter 10 Millionen Dollar Jahresumsatz, darüber mit bezahlter Lizenz von Lightricks; "
        "veröffentlichte Clips müssen als von einer Maschine gemacht gekennzeichnet sein; nicht in einem "
        "Produkt, das mit denen von Lightricks im Wettbewerb steht; kein gewerbliches Training anderer "
        "Modelle; dazu die Einschränkungen ihres Anhangs A"
    ),
    "free below 10 million dollars of yearly revenue, above it a paid licence from Lightricks; published "
    "clips must be marked as made by a machine; the use restrictions of its attachment A apply": (
        "kostenlos unter 10 Millionen Dollar Jahresumsatz, darüber mit bezahlter Lizenz von Lightricks; "
        "veröffentlichte Clips müssen als von einer Maschine gemacht gekennzeichnet sein; dazu die "
        "Einschränkungen ihres Anhangs A"
    ),
    "free for research; commercial use needs a free registration at open.bigmodel.cn/mla/form and is "
    "limited to 1 million visits a month; no military or unlawful use": (
        "frei für die Forschung; gewerblich nur nach kostenloser Anmeldung unter open.bigmodel.cn/mla/form "
        "und bis 1 Million Besuche im Monat; nichts Militärisches oder Ungesetzliches"
    ),
    "where it is not licensed, neither the model nor its clips may be used or shown; published clips must"
    " be marked as made by a machine and may not be used to train other models; above 100 million monthly"
    " users a licence from Tencent is needed": (
        "wo es nicht lizenziert ist, dürfen weder das Modell noch seine Clips genutzt oder gezeigt werden; "
        "veröffentlichte Clips müssen als von einer Maschine gemacht gekennzeichnet sein und dürfen kein "
        "Training anderer Modelle speisen; über 100 Millionen Nutzer im Monat braucht es eine Lizenz von "
        "Tencent"
    ),
    "{}: commercial use yes": "{}: gewerblich erlaubt",
    "{}: commercial use no": "{}: nicht gewerblich",
    "{}: commercial use with conditions ({}); not licensed in {}": (
        "{}: gewerblich unter Bedingungen ({}); nicht lizenziert in {}"
    ),
    "{}: commercial use with conditions ({})": "{}: gewerblich unter Bedingungen ({})",
    "the European Union, the United Kingdom, South Korea": (
        "der Europäischen Union, dem Vereinigten Königreich, Südkorea"
    ),
    "South Korea": "Südkorea",
    "the European Union": "der Europäischen Union",
    "the United Kingdom": "dem Vereinigten Königreich",
    # how well renders keep their takes, and how to write for a model
    "{} of the way from another clip of the same words to the take itself, {} in the worst tenth ({} scenes)": (
        "{} des Weges von einem anderen Clip derselben Worte zum Entwurf selbst, {} im schlechtesten Zehntel "
        "({} Szenen)"
    ),
    "A detailed description of scene, subject, motion and camera, in English or Russian; the authors' own"
    " tools expand short prompts first.": (
        "Szene, Gegenstand, Bewegung und Kamera ausführlich beschreiben, auf Englisch oder Russisch; die "
        "Werkzeuge der Urheber machen kurze Texte erst länger."
    ),
    "A detailed paragraph: main subject and theme, colours and shapes, actions and motion, background and"
    " light, style and atmosphere, camera angle and move.": (
        "Ein ausführlicher Absatz: Gegenstand und Thema, Farben und Formen, Handlung und Bewegung, "
        "Hintergrund und Licht, Stil und Stimmung, Blickwinkel und Bewegung der Kamera."
    ),
    "A long, detailed English paragraph (the models were trained on such captions): subject, its looks, "
    "motion, surroundings, light, mood, camera.": (
        "Ein langer, ausführlicher englischer Absatz (mit solchen wurden die Modelle trainiert): Gegenstand, "
        "sein Aussehen, Bewegung, Umgebung, Licht, Stimmung, Kamera."
    ),
    'A short plain description of the character and of what it does, e.g. "a person is dancing in a '
    'studio"; the video says the rest.': (
        "Kurz und schlicht, wer da ist und was er tut, etwa “a person is dancing in a studio”; den Rest sagt das Video."
    ),
    "Describe the change from the first picture to the last as one continuous action; Chinese prompts are"
    " what it was mainly trained on.": (
        "Die Verwandlung vom ersten zum letzten Bild als eine einzige Handlung beschreiben; trainiert wurde "
        "es vor allem mit chinesischen Texten."
    ),
    "One flowing paragraph of 50 to 120 words, English or Chinese: subject and what it looks like, the "
    "action and how it moves, the setting, light and mood, then style and camera (shot size, angle, "
    "move).": (
        "Ein fließender Absatz von 50 bis 120 Wörtern, englisch oder chinesisch: der Gegenstand und wie er "
        "aussieht, was geschieht und wie er sich bewegt, der Ort, Licht und Stimmung, dann Stil und Kamera "
        "(Ausschnitt, Blickwinkel, Bewegung)."
    ),
    "One flowing paragraph of at most 200 words, literal and in order, like a cinematographer's shot "
    "list: the main action in a sentence, gestures, looks, background, camera angle and move, light and "
    "colour, what changes.": (
        "Ein fließender Absatz von höchstens 200 Wörtern, wörtlich und der Reihe nach, wie die Liste einer "
        "Kamerafrau: die Handlung in einem Satz, Gesten, Aussehen, Hintergrund, Blickwinkel und Bewegung der "
        "Kamera, Licht und Farbe, was sich ändert."
    ),
    "One flowing paragraph of at most 200 words: action, looks, setting, camera, light, and what is "
    "heard: speech in quotation marks with the voice described, sounds, music.": (
        "Ein fließender Absatz von höchstens 200 Wörtern: Handlung, Aussehen, Ort, Kamera, Licht, und was zu "
        "hören ist: Gesprochenes in Anführungszeichen, dazu die Stimme, Geräusche, Musik."
    ),
    "One long, precise paragraph: shot and camera, subject, action, setting, light. Photorealistic; drawn"
    " styles are its weak side (README, Limitations).": (
        "Ein langer, genauer Absatz: Ausschnitt und Kamera, Gegenstand, Handlung, Ort, Licht. Wie "
        "fotografiert; Gezeichnetes ist seine Schwäche (README, Limitations)."
    ),
    "Say what happens from the picture on: the motion of the subject, of the background and of the "
    "camera. What the picture already shows needs few words.": (
        "Sag, was vom Bild an geschieht: wie sich Gegenstand, Hintergrund und Kamera bewegen. Was das Bild "
        "schon zeigt, braucht wenige Worte."
    ),
    'Short, subject first, then the motion: "The girl dances gracefully, with clear movements, full of '
    'charm." (README).': (
        "Kurz, erst der Gegenstand, dann die Bewegung: “The girl dances gracefully, with clear movements, "
        "full of charm.” (README)."
    ),
    "Short: the subject, what it does, the camera move; the picture gives the rest.": (
        "Kurz: der Gegenstand, was er tut, wie die Kamera sich bewegt; den Rest gibt das Bild."
    ),
    "Subject + motion + scene + [shot type] + [camera move] + [lighting] + [style] + [atmosphere]; longer"
    " and more detailed is better. Text to be shown goes in quotation marks.": (
        "Gegenstand + Bewegung + Szene + [Ausschnitt] + [Bewegung der Kamera] + [Licht] + [Stil] + "
        "[Stimmung]; länger und ausführlicher ist besser. Schrift, die zu sehen sein soll, in "
        "Anführungszeichen."
    ),
    "Subject motion + scene motion + [camera move]; what the picture shows needs no words.": (
        "Bewegung des Gegenstands + Bewegung der Szene + [Bewegung der Kamera]; was das Bild zeigt, braucht "
        "keine Worte."
    ),
    "a <colour> <shape> <what it does> on a <colour> background, or over the sea, hills, desert or night sky": (
        "auf Englisch: a <colour> <shape> <what it does> on a <colour> background, oder over the sea, hills, "
        "desert, night sky"
    ),
    # kinds of machines
    "Several cards of 24 GB": "Mehrere Karten mit 24 GB",
    "Below 12 GB": "Unter 12 GB",
    "12 to 16 GB": "12 bis 16 GB",
    "48 GB and more": "48 GB und mehr",
    "No graphics card": "Ohne Grafikkarte",
    "My own": "Meine eigene",
    "A card with 12 to 16 GB: 480p in comfort, 720p with patience.": (
        "Eine Karte mit 12 bis 16 GB: 480p bequem, 720p mit Geduld."
    ),
    "A card with 24 to 32 GB: 720p is the ordinary size.": (
        "Eine Karte mit 24 bis 32 GB: 720p ist die gewöhnliche Größe."
    ),
    "A workstation's card: every model at its full size, and the long and large clips of those that can.": (
        "Die Karte einer Workstation: jedes Modell in voller Größe, und die langen und großen Clips derer, "
        "die sie können."
    ),
    "An Apple GPU, which shares the computer's memory: 480p, and patience for the large models.": (
        "Ein Grafikchip von Apple, der den Arbeitsspeicher mitbenutzt: 480p, und Geduld bei den großen Modellen."
    ),
    "A card with less than 12 GB, or a laptop: small pictures first, streamed where they must be.": (
        "Eine Karte mit weniger als 12 GB, oder ein Laptop: zuerst kleine Bilder, Block für Block geladen, wo"
        " es sein muss."
    ),
    "The processor alone: the Starter in seconds; real models small, short and slow.": (
        "Nur der Prozessor: der Starter in Sekunden; richtige Modelle klein, kurz und langsam."
    ),
    "Two cards or more with 24 to 32 GB each: every clip runs on one of them, and several clips run at once.": (
        "Zwei Karten oder mehr mit je 24 bis 32 GB: jeder Clip läuft auf einer, und mehrere Clips zugleich."
    ),
    # what to install first, and what would fit instead
    "The fastest here for a second of video: {} s at {}, {}.": (
        "Hier das schnellste für eine Sekunde Video: {} s in {}, {}."
    ),
    "The largest model whose render takes less than an hour here: {} s at {}, {}.": (
        "Das größte Modell, dessen fertige Fassung hier keine Stunde braucht: {} s in {}, {}."
    ),
    "quick tries": "schnelle Versuche",
    "best results": "beste Ergebnisse",
    "comfortable": "bequem",
    "tight": "knapp",
    "offloads": "mit Auslagern",
    "Another model: {}.": "Ein anderes Modell: {}.",
    "It would run with {} seconds instead of {} and {} instead of {} and the number format and offloading"
    " left to Rushes.": (
        "Es ginge mit {} Sekunden statt {}, {} statt {}, und wenn Rushes Genauigkeit und Auslagern wählt."
    ),
    "It would run with {} seconds instead of {} and {} instead of {}.": (
        "Es ginge mit {} Sekunden statt {} und {} statt {}."
    ),
    "It would run with {} seconds instead of {} and the number format and offloading left to Rushes.": (
        "Es ginge mit {} Sekunden statt {}, und wenn Rushes Genauigkeit und Auslagern wählt."
    ),
    "It would run with {} instead of {} and the number format and offloading left to Rushes.": (
        "Es ginge mit {} statt {}, und wenn Rushes Genauigkeit und Auslagern wählt."
    ),
    "It would run with {} seconds instead of {}.": "Es ginge mit {} Sekunden statt {}.",
    "It would run with {} instead of {}.": "Es ginge mit {} statt {}.",
    "It would run with the number format and offloading left to Rushes.": (
        "Es ginge, wenn Rushes Genauigkeit und Auslagern wählt."
    ),
}
