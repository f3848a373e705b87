"""What goes wrong with jobs, files, models and downloads, in German; used like `sentences`."""

from __future__ import annotations

FAILURES = {
    # the test of a card
    "The test of the card ended before it was done.": "Die Prüfung der Karte endete vor der Zeit.",
    "Close other programs that use the card and try again; if it happens again, restart the computer.": (
        "Schließe andere Programme, die die Karte nutzen, und versuche es noch einmal; hilft das nicht, starte den "
        "Rechner neu."
    ),
    "Rushes is open in another window, and may keep a model on the card.": (
        "Rushes ist in einem anderen Fenster offen und hält vielleicht ein Modell auf der Karte bereit."
    ),
    "Test the card there, under My machine, or close it first.": (
        "Prüfe die Karte dort, unter „Mein Rechner“, oder schließe es vorher."
    ),
    "{} is no part of the test.": "{} ist kein Teil der Prüfung.",
    "Parts are: {}.": "Teile sind: {}.",
    # jobs
    "Something unexpected went wrong while the job was being run.": "Bei der Arbeit ging etwas Unerwartetes schief.",
    "Try again; if it happens again, run `app.py doctor`.": (
        "Versuche es noch einmal; geschieht es wieder, hilft `app.py doctor`."
    ),
    "Try again; if it happens again, run `app.py doctor` and look at the logs folder.": (
        "Versuche es noch einmal; geschieht es wieder, hilft `app.py doctor` und ein Blick in den Ordner logs."
    ),
    "The numbers of this clip overflowed, so its pictures would have been black.": (
        "Die Zahlen dieses Clips liefen über; seine Bilder wären schwarz geworden."
    ),
    "Leave the LoRAs out, or lower their strength: one may be damaged or made for another model.": (
        "Lass die LoRAs weg, oder nimm sie schwächer: eine kann beschädigt oder für ein anderes Modell sein."
    ),
    "This card's 16-bit numbers are too small for this model: choose another model, or the device cpu.": (
        "Die 16-Bit-Zahlen dieser Karte sind für dieses Modell zu klein: nimm ein anderes Modell oder das Gerät cpu."
    ),
    "Choose full precision under the expert settings: its weights were made too small.": (
        "Wähle in den Experteneinstellungen volle Genauigkeit: die Gewichte wurden zu klein gemacht."
    ),
    "Leave the attention to Rushes under the expert settings.": (
        "Überlass die Attention in den Experteneinstellungen Rushes."
    ),
    "Try another seed; if it happens again, run `app.py doctor --card`, which tests your card.": (
        "Versuche einen anderen Seed; geschieht es wieder, prüft `app.py doctor --card` deine Karte."
    ),
    "Going on with the shot.": "Die Einstellung geht weiter.",
    "You agreed to it.": "Du hast zugestimmt.",
    "{} Nothing smaller is left to try.": "{} Kleiner lässt sich nichts mehr versuchen.",
    "The studio was closed.": "Das Studio wurde geschlossen.",
    "Open it again; the job waits.": "Öffne es wieder; der Auftrag wartet.",
    "The job was stopped.": "Der Auftrag wurde angehalten.",
    "Start it again whenever you like.": "Starte ihn wieder, wann du magst.",
    "This job was written by another version of Rushes.": "Diesen Auftrag schrieb eine andere Version von Rushes.",
    "Ask for it again.": "Verlange es noch einmal.",
    "There is no job called '{}'.": "Einen Auftrag namens „{}“ gibt es nicht.",
    "Look at the library for what there is.": "Was es gibt, steht im Archiv.",
    "A shot is being made at this moment.": "Gerade entsteht eine Einstellung.",
    "Let it finish, or stop it, first.": "Lass sie erst fertig werden, oder halte sie an.",
    "Close other programs, or make the clip smaller or shorter, then try again.": (
        "Schließe andere Programme, oder mach den Clip kleiner oder kürzer, dann versuche es noch einmal."
    ),
    "The page file of Windows (virtual memory) is full, so the engine could not go on.": (
        "Die Auslagerungsdatei von Windows (virtueller Speicher) ist voll; die Maschine konnte nicht weiter."
    ),
    "Let Windows manage the size of the page file, or close other programs, then try again.": (
        "Lass Windows ihre Größe bestimmen, oder schließe andere Programme, dann versuche es noch einmal."
    ),
    "The approved take's latents are missing or damaged, so it cannot be rendered.": (
        "Die Latents des Entwurfs fehlen oder sind beschädigt; fertig machen lässt er sich nicht."
    ),
    "Make the take again from its recipe.": "Mach den Entwurf nach seinem Rezept noch einmal.",
    "What the take had saved is missing, or was made by another version or on another device.": (
        "Was der Entwurf gesichert hatte, fehlt, oder kommt von einer anderen Version oder einem anderen Gerät."
    ),
    "The render starts from the first step.": "Die fertige Fassung beginnt beim ersten Schritt.",
    "The part of this model that enlarges takes is missing.": (
        "Der Teil dieses Modells, der Entwürfe vergrößert, fehlt."
    ),
    # models, and their files
    "The model '{}' is not installed.": "Das Modell „{}“ ist nicht installiert.",
    "Install it: `app.py models install {}`.": "Installiere es: `app.py models install {}`.",
    "Install the model again.": "Installiere das Modell neu.",
    "Install the model again; the starter comes back with an update of Rushes.": (
        "Installiere das Modell neu; der Starter kommt mit einer Aktualisierung von Rushes zurück."
    ),
    "Install the model again, or correct the name of the file in its card.": (
        "Installiere das Modell neu, oder berichtige den Dateinamen in seiner Karte."
    ),
    "The model '{}' has no weights.": "Das Modell „{}“ hat keine Gewichte.",
    "The model '{}' has no readable index.": "Das Modell „{}“ hat kein lesbares Verzeichnis.",
    "The model '{}' wants to run code of its own, so it was not loaded.": (
        "Das Modell „{}“ will eigene Programme ausführen und wurde deshalb nicht geladen."
    ),
    "The weights file {} of '{}' is damaged or cut short.": (
        "Die Gewichtsdatei {} von „{}“ ist beschädigt oder abgeschnitten."
    ),
    "The weights file {} is damaged or cut short.": "Die Gewichtsdatei {} ist beschädigt oder abgeschnitten.",
    "The weights in {} are not those of this model.": "Die Gewichte in {} sind nicht die dieses Modells.",
    "The model in {} could not be loaded.": "Das Modell in {} ließ sich nicht laden.",
    "Models of the kind {} cannot be read from a single file.": (
        "Modelle der Art {} lassen sich nicht aus einer einzelnen Datei lesen."
    ),
    "Choose another version.": "Wähle eine andere Version.",
    "This Rushes cannot run models of the kind {}.": "Dieses Rushes kann mit Modellen der Art {} nichts anfangen.",
    "Update Rushes.": "Aktualisiere Rushes.",
    "The graphics card was found, but this torch build cannot use it.": (
        "Die Grafikkarte ist da, aber dieses torch kann sie nicht nutzen."
    ),
    "Run `python bootstrap.py --torch` to see which build fits, or choose the device cpu.": (
        "`python bootstrap.py --torch` zeigt, welches passt; oder wähle das Gerät cpu."
    ),
    "A part of the LoRA '{}' has no place in this model, so it was not used.": (
        "Ein Teil der LoRA „{}“ hat in diesem Modell keinen Platz und wurde nicht gebraucht."
    ),
    "Choose the model that it was made for, or leave the LoRA out.": (
        "Wähle das Modell, für das sie gemacht ist, oder lass die LoRA weg."
    ),
    "This LoRA is already here: '{}'.": "Diese LoRA ist schon da: „{}“.",
    "Choose it; there is nothing to download.": "Wähle sie; herunterzuladen gibt es nichts.",
    "{} of {} is not here.": "{} von {} ist nicht da.",
    "Download it first.": "Lade sie zuerst herunter.",
    "Download it: `app.py loras install {}/{}`.": "Lade sie: `app.py loras install {}/{}`.",
    "Add its file with `app.py loras add`, or leave it out.": (
        "Nimm ihre Datei mit `app.py loras add` auf, oder lass sie weg."
    ),
    "The LoRA {} has changed since it was chosen.": "Die LoRA {} hat sich geändert, seit sie gewählt wurde.",
    "What was downloaded is no longer there.": "Das Heruntergeladene ist nicht mehr da.",
    "Download it again.": "Lade es noch einmal herunter.",
    "Choose another file; Rushes can download the model itself.": (
        "Wähle eine andere Datei; Rushes kann das Modell selbst herunterladen."
    ),
    "The model card {} calls itself '{}'; both names must be the same.": (
        "Die Modellkarte {} nennt sich „{}“; beide Namen müssen gleich sein."
    ),
    "Restore the file (an update does that), or remove it if you added it.": (
        "Stelle die Datei wieder her (eine Aktualisierung tut das), oder entferne sie, wenn sie von dir ist."
    ),
    "The data folder {} cannot be used ({}).": "Der Datenordner {} geht nicht ({}).",
    "Choose a folder you may write to: set RUSHES_HOME to it and start again.": (
        "Wähle einen Ordner, in den du schreiben darfst: trage ihn als RUSHES_HOME ein und starte neu."
    ),
    "The data folder was written by a newer Rushes.": "Den Datenordner hat ein neueres Rushes geschrieben.",
    "Update Rushes, or choose another data folder.": "Aktualisiere Rushes, oder wähle einen anderen Datenordner.",
    "There is no model called '{}'.": "Ein Modell namens „{}“ gibt es nicht.",
    "The folder {} does not exist.": "Den Ordner {} gibt es nicht.",
    "The folder {} cannot be found.": "Der Ordner {} ist nicht zu finden.",
    "Make it first, or choose another.": "Lege ihn zuerst an, oder wähle einen anderen.",
    "The folder {} holds no model.": "Im Ordner {} liegt kein Modell.",
    "Choose the folder that has a model_index.json in it.": "Wähle den Ordner, in dem model_index.json liegt.",
    "The folder {} holds single weight files, not a whole model.": (
        "Im Ordner {} liegen einzelne Gewichtsdateien, kein ganzes Modell."
    ),
    "Use them where they lie with `app.py models reuse {}`: only the rest of the model is downloaded.": (
        "`app.py models reuse {}` nutzt sie, wo sie liegen: nur der Rest des Modells wird geladen."
    ),
    "The folder {} holds {} ({}).": "Im Ordner {} liegt {} ({}).",
    "Choose the folder of one model, and say which one it is (--as).": (
        "Wähle den Ordner eines Modells, und sag, welches es ist (--as)."
    ),
    "{} cannot be found.": "{} ist nicht zu finden.",
    "{}, but of a kind that Rushes does not read yet: {}.": "{}, aber von einer Art, die Rushes noch nicht liest: {}.",
    "{} is already on its way.": "{} ist schon unterwegs.",
    "Watch it, pause it, or cancel it first.": "Sieh zu, halte es an, oder brich es zuerst ab.",
    "{} comes with Rushes.": "{} kommt mit Rushes.",
    "There is nothing to install.": "Zu installieren gibt es nichts.",
    "{} is already installed.": "{} ist schon installiert.",
    "Remove it first with `models remove {}`.": "Entferne es zuerst mit `models remove {}`.",
    "Remove a model that you installed.": "Entferne ein Modell, das du installiert hast.",
    "{} is not installed.": "{} ist nicht installiert.",
    "See `app.py models` for what is.": "Welche es sind, zeigt `app.py models`.",
    "{} is being used and cannot be removed.": "{} wird gerade gebraucht und lässt sich nicht entfernen.",
    "Close Rushes and try again.": "Schließe Rushes und versuche es noch einmal.",
    # looks, camera moves, saved settings
    "There is no '{}' among the {}.": "„{}“ ist nicht dabei ({}).",
    "There are: {}.": "Es gibt: {}.",
    "Correct the file, or delete it.": "Berichtige die Datei, oder lösche sie.",
    "Ask its author for a good copy, or choose another file.": (
        "Bitte um eine heile Kopie, oder wähle eine andere Datei."
    ),
    "{} is wrong at 'id': it says '{}', not the file's name.": (
        "{} ist falsch bei „id“: dort steht „{}“ und nicht der Name der Datei."
    ),
    "{} is wrong at 'kind': it must be {}.": "{} ist falsch bei „kind“: dort muss {} stehen.",
    "{} is wrong at 'format': a newer Rushes made it.": (
        "{} ist falsch bei „format“: ein neueres Rushes hat die Datei gemacht."
    ),
    "{} is wrong at '{}': {}.": "{} ist falsch bei „{}“: {}.",
    "{} is far too large to be one.": "{} ist dafür viel zu groß.",
    "'{}' comes with Rushes and cannot be deleted.": "„{}“ kommt mit Rushes und lässt sich nicht löschen.",
    "Leave it where it is.": "Lass es, wo es ist.",
    "This cannot be kept: '{}' is wrong, {}.": "Das lässt sich nicht behalten: „{}“ ist falsch, {}.",
    "Change it, then save again.": "Ändere es, dann sichere noch einmal.",
    "There is another {} called '{}' already.": "„{1}“ gibt es schon ({0}).",
    "Import it by another name.": "Nimm es unter einem anderen Namen auf.",
    "Your word list {} is larger than a megabyte.": "Deine Wortliste {} ist größer als ein Megabyte.",
    "Shorten it, or delete it.": "Kürze sie, oder lösche sie.",
    "Your word list {} cannot be read.": "Deine Wortliste {} lässt sich nicht lesen.",
    "Save it as plain text, or delete it.": "Sichere sie als reinen Text, oder lösche sie.",
    # the library, pictures and sound
    "There is no clip called '{}'.": "Einen Clip namens „{}“ gibt es nicht.",
    "There is no take called '{}'.": "Einen Entwurf namens „{}“ gibt es nicht.",
    "{} takes match it.": "{} Entwürfe passen dazu.",
    "See `app.py library` for their names.": "Ihre Namen zeigt das Archiv.",
    "{} is in use and cannot be deleted.": "{} wird gerade gebraucht und lässt sich nicht löschen.",
    "Close what plays it.": "Schließe, was es abspielt.",
    "This is no longer in the trash.": "Das liegt nicht mehr im Papierkorb.",
    "Make it again: its recipe is in every copy of it.": "Mach es neu: sein Rezept steckt in jeder Kopie davon.",
    "{} is far too large to be a recipe.": "{} ist viel zu groß für ein Rezept.",
    "{} is not a recipe: '{}' is wrong ({}).": "{} ist kein Rezept: „{}“ ist falsch ({}).",
    "{} holds no recipe of Rushes.": "In {} steckt kein Rezept von Rushes.",
    "{} cannot be read as a video ({}).": "{} lässt sich nicht als Video lesen ({}).",
    "Choose an MP4 that Rushes made.": "Wähle ein MP4, das Rushes gemacht hat.",
    "Choose an MP4 or a recipe file that Rushes made.": "Wähle ein MP4 oder ein Rezept, das Rushes gemacht hat.",
    "The sound of {} cannot be played.": "Der Ton von {} lässt sich nicht abspielen.",
    "Export the video again, or leave its sound out.": "Gib das Video neu aus, oder lass seinen Ton weg.",
    "{} does not say how long it is, so its end cannot be found.": (
        "{} sagt nicht, wie lang es ist; sein Ende ist nicht zu finden."
    ),
    "Export it as MP4.": "Gib es als MP4 aus.",
}
