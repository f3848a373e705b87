"""What the doctor and a move of models say, in German; used like `sentences`."""

from __future__ import annotations

CHECKS = {
    # what the doctor finds, and what to do about it
    "Python {} on {}": "Python {} unter {}",
    "Install Python 3.11, 3.12 or 3.13.": "Installiere Python 3.11, 3.12 oder 3.13.",
    "torch is not installed.": "torch ist nicht installiert.",
    "torch {} cannot use {}.": "torch {} kann {} nicht nutzen.",
    "torch {} is installed.": "torch {} ist installiert.",
    "Close Rushes, then install it again (in Pinokio: Install again) or run `python bootstrap.py`.": (
        "Schließe Rushes und installiere es noch einmal (in Pinokio: Install again) oder rufe `python "
        "bootstrap.py` auf."
    ),
    "Models can run on {} ({}), {} of {} GB free.": "Modelle können auf {} laufen ({}), {} von {} GB frei.",
    "Models can run on {} ({}).": "Modelle können auf {} laufen ({}).",
    "Until then models run on {}.": "Bis dahin laufen Modelle auf {}.",
    "An NVIDIA driver is installed but does not answer ({}). Reinstall the driver.": (
        "Ein Treiber von NVIDIA ist da, antwortet aber nicht ({}). Installiere ihn neu."
    ),
    "An NVIDIA driver is installed, but it sees no card.": "Ein Treiber von NVIDIA ist da, sieht aber keine Karte.",
    "CUDA_VISIBLE_DEVICES hides every NVIDIA card ({}). Unset it to use one.": (
        "CUDA_VISIBLE_DEVICES verbirgt jede Karte von NVIDIA ({}). Nimm es weg, um eine zu nutzen."
    ),
    "The NVIDIA card could not be read ({}). Restart the computer or update the driver.": (
        "Die Karte von NVIDIA ließ sich nicht lesen ({}). Starte den Rechner neu oder erneuere den Treiber."
    ),
    "The installed torch ({}) cannot use {}, so it is left out.": (
        "Das installierte torch ({}) kann {} nicht nutzen; sie bleibt außen vor."
    ),
    "The queue of {} stopped by itself ({}) on {}.": "Die Aufträge auf {} hörten von selbst auf ({}), am {}.",
    "It was started again. If it happens once more, send us the support file.": (
        "Sie laufen wieder. Geschieht es noch einmal, schick uns die Hilfedatei."
    ),
    "NVIDIA card {} does not answer ({}); it is left out.": (
        "Die Karte {} von NVIDIA antwortet nicht ({}); sie bleibt außen vor."
    ),
    "Other programs use the memory of {}: {}. Closing them helps.": (
        "Andere Programme belegen den Speicher von {}: {}. Es hilft, sie zu schließen."
    ),
    "This runs in a container that may use {} GB of memory.": (
        "Dies läuft in einem Container, der {} GB Speicher nutzen darf."
    ),
    "This runs in WSL: Windows keeps part of the memory, and the page file is Windows' own.": (
        "Dies läuft in WSL: Windows behält einen Teil des Speichers, und die Auslagerungsdatei ist die von Windows."
    ),
    "{} of {} GB RAM free, page file {} GB": "{} von {} GB Arbeitsspeicher frei, Auslagerungsdatei {} GB",
    "Close other programs, or let go of the model that is kept ready.": (
        "Schließe andere Programme, oder gib das Modell frei, das bereitgehalten wird."
    ),
    "{} GB free for takes and clips": "{} GB frei für Entwürfe und Clips",
    "Free some space, keep models on another drive, or set RUSHES_HOME to a folder there.": (
        "Mach Platz, lege Modelle auf ein anderes Laufwerk, oder setze RUSHES_HOME auf einen Ordner dort."
    ),
    "{} cannot be written ({}).": "In {} lässt sich nicht schreiben ({}).",
    "Give yourself permission to write there, or set RUSHES_HOME to another folder.": (
        "Gib dir das Recht, dort zu schreiben, oder setze RUSHES_HOME auf einen anderen Ordner."
    ),
    "Takes and clips are kept in {}": "Entwürfe und Clips liegen in {}",
    "Models are kept in {}": "Modelle liegen in {}",
    "The folder for models, {}, is not there.": "Der Ordner für Modelle, {}, ist nicht da.",
    "Plug its disk in, or choose another folder for models.": (
        "Schließe sein Laufwerk an, oder wähle einen anderen Ordner für Modelle."
    ),
    "{} GB of weights made smaller are kept; `app.py models tidy` frees them": (
        "{} GB verkleinerte Gewichte liegen bereit; sie lassen sich wieder erzeugen"
    ),
    "No weights made smaller are kept": "Es liegen keine verkleinerten Gewichte bereit",
    "This PyAV build cannot write H.264.": "Dieses PyAV kann kein H.264 schreiben.",
    "H.264 video through PyAV {}": "Video als H.264 durch PyAV {}",
    "The test take was stopped.": "Der Probe-Entwurf wurde angehalten.",
    "Run the doctor again.": "Prüfe noch einmal.",
    "A real take was made in {} s": "Ein echter Entwurf entstand in {} s",
    "A shot is being made at this moment.": "Gerade entsteht etwas.",
    "Let it finish, or stop it, first.": "Lass es fertig werden, oder halte es an.",
    # moving models
    "That is not the name of a folder.": "Das ist kein Name eines Ordners.",
    "{} is not a folder with its whole path.": "{} ist kein Ordner mit seinem ganzen Pfad.",
    "Check its name, and that the disk is plugged in.": "Prüfe seinen Namen, und ob das Laufwerk angeschlossen ist.",
    "{} belongs to Rushes itself.": "{} gehört Rushes selbst.",
    "Choose an empty or new folder of your own, with its whole path, such as /media/disk/models.": (
        "Wähle einen leeren oder neuen eigenen Ordner mit seinem ganzen Pfad, etwa /media/disk/models."
    ),
    "Rushes may not write into the folder {} ({}).": "In den Ordner {} darf Rushes nicht schreiben ({}).",
    "Choose another one.": "Wähle einen anderen.",
    "A model is still on its way into the present folder.": "Ein Modell ist noch unterwegs in den jetzigen Ordner.",
    "Let it finish, or cancel it, first.": "Lass es erst ankommen, oder brich es ab.",
    "Models are being moved already.": "Es ziehen schon Modelle um.",
    "Wait until that is done.": "Warte, bis das getan ist.",
    "A shot is being made with {}.": "Gerade entsteht etwas mit {}.",
    "Let it finish, or stop it, then move the models.": (
        "Lass es fertig werden oder halte es an; dann ziehen die Modelle um."
    ),
    "The move was stopped.": "Der Umzug wurde angehalten.",
    "Move again: what is moved stays moved.": "Beginne ihn noch einmal: was umgezogen ist, bleibt es.",
    "{} could not be moved ({}).": "{} konnte nicht umziehen ({}).",
    "Each model is still whole, here or there. Look at both disks, then move again.": (
        "Jedes Modell ist noch ganz, hier oder dort. Sieh nach beiden Laufwerken, dann beginne noch einmal."
    ),
    "Free {} GB, or choose a folder on another drive for models.": (
        "Mach {} GB frei, oder wähle für Modelle einen Ordner auf einem anderen Laufwerk."
    ),
}
