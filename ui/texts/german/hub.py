"""What goes wrong on the way of a model from a hub, in German; used like `sentences`."""

from __future__ import annotations

HUB = {
    "The hub does not answer.": "Der Hub antwortet nicht.",
    "Check the internet connection, then try again.": "Prüfe die Internetverbindung, dann versuche es noch einmal.",
    "The downloader stopped without an answer.": "Das Herunterladen endete ohne Antwort.",
    "Try again; the reason is in logs/downloads.log.": (
        "Versuche es noch einmal; der Grund steht in logs/downloads.log."
    ),
    "The downloader stopped three times without getting any further.": (
        "Das Herunterladen brach dreimal ab, ohne weiterzukommen."
    ),
    "Resume it; if that happens again, run `app.py doctor` and look at the logs folder.": (
        "Mach weiter; geschieht es wieder, hilft `app.py doctor` und ein Blick in den Ordner logs."
    ),
    "Another download of it is running.": "Es wird schon heruntergeladen.",
    "Wait until it has ended.": "Warte, bis das zu Ende ist.",
    "Its owner asks everyone to accept terms first.": "Wem es gehört, verlangt erst, Bedingungen zuzustimmen.",
    "The owner of {} asks everyone to accept terms before downloading.": (
        "Wem {} gehört, verlangt von allen vor dem Herunterladen, Bedingungen zuzustimmen."
    ),
    "Open {}/{} in a browser, sign in, read the terms and accept them; {} and install it again.": (
        "Öffne {}/{} im Browser, melde dich an, lies die Bedingungen und stimme zu; {} und installiere es noch einmal."
    ),
    "The hub does not accept this token.": "Der Hub nimmt diesen Schlüssel nicht an.",
    "Make a new one there (Settings, Access Tokens, read is enough).": (
        "Mach dort einen neuen (Settings, Access Tokens; read genügt)."
    ),
    "{} sent an answer that makes no sense.": "Die Antwort von {} ergibt keinen Sinn.",
    "Try again later or use another mirror.": "Versuche es später, oder nimm einen anderen Spiegel.",
    "Try again, or use another mirror.": "Versuche es noch einmal, oder nimm einen anderen Spiegel.",
    "Use another mirror.": "Nimm einen anderen Spiegel.",
    "Use another mirror (HF_ENDPOINT).": "Nimm einen anderen Spiegel (HF_ENDPOINT).",
    "Try again later.": "Versuche es später.",
    "{} has no {} for you, or not in this version: it was removed, renamed or made private.": (
        "{} hat {} nicht für dich, oder nicht in dieser Version: es wurde entfernt, umbenannt oder verborgen."
    ),
    "If it is private, {}; else look for an update of Rushes.": (
        "Ist es verborgen, dann {}; sonst sieh nach einer Aktualisierung von Rushes."
    ),
    "{} does not let you have {}.": "{} gibt dir {} nicht.",
    "Check your access there, {}.": "Prüfe dort, was du darfst, {}.",
    "{} answered with an error ({}).": "{} antwortete mit einem Fehler ({}).",
    "Try again in a while; what has arrived is kept.": "Versuche es in einer Weile; was da ist, bleibt.",
    "Downloads are switched off (HF_HUB_OFFLINE).": "Herunterladen ist abgeschaltet (HF_HUB_OFFLINE).",
    "Unset it, then try again.": "Nimm das weg, dann versuche es noch einmal.",
    "'{}' is not the name of a repository.": "„{}“ ist kein Name eines Verzeichnisses dort.",
    "Correct the model card.": "Berichtige die Karte des Modells.",
    "The model folder cannot be written.": "In den Ordner für Modelle lässt sich nicht schreiben.",
    "Check its permissions, then resume.": "Prüfe seine Rechte, dann weiter.",
    "The hub sent more of {} than it had announced.": "Der Hub schickte mehr von {}, als angekündigt war.",
    "What arrived as {} is not what the hub's own record says, twice.": (
        "Was als {} ankam, ist zweimal nicht, was der Hub selbst verzeichnet."
    ),
    "Try again later or use another mirror; the damaged file was thrown away.": (
        "Versuche es später, oder nimm einen anderen Spiegel; die beschädigte Datei ist weg."
    ),
    "{} is damaged in the folder you chose.": "{} ist in dem gewählten Ordner beschädigt.",
    "Fetch this model again.": "Hole dieses Modell noch einmal.",
    "This disk cannot link to files that are elsewhere, so what was already here was copied.": (
        "Diese Platte kann nicht auf Dateien anderswo verweisen; was schon da war, wurde kopiert."
    ),
    "{} could not be read to its end.": "{} ließ sich nicht bis zum Ende lesen.",
    "Check the disk it is on, then resume.": "Prüfe die Platte, auf der es liegt, dann weiter.",
    "The folder {} is in the way.": "Der Ordner {} ist im Weg.",
    "Remove that model first.": "Entferne zuerst jenes Modell.",
    "The model could not be moved to {}.": "Das Modell ließ sich nicht nach {} bringen.",
    "Close what uses that folder, then resume.": "Schließe, was den Ordner benutzt, dann weiter.",
    "{} is not a model.": "{} ist kein Modell.",
    "{} has no readable model_index.json.": "{} hat keine lesbare model_index.json.",
    "Choose another copy.": "Wähle eine andere Kopie.",
    "'{}' in the folder {} is a link to somewhere else, so the folder was refused.": (
        "„{}“ im Ordner {} verweist nach anderswo; deshalb wurde der Ordner abgewiesen."
    ),
    "Copy the real files into it.": "Kopiere die Dateien selbst hinein.",
    "{}: there are {}.": "{}: es gibt {}.",
    "Name one, such as {}/{}.": "Nenne eine, etwa {}/{}.",
    "{} lists {} with a size that cannot be true.": "{} nennt für {} eine Größe, die nicht stimmen kann.",
    "There is nothing to download.": "Herunterzuladen gibt es nichts.",
    "{} is far too large for a LoRA ({} GB).": "{} ist für eine LoRA viel zu groß ({} GB).",
    "{} holds no LoRA in a .safetensors file.": "{} hat keine LoRA in einer .safetensors-Datei.",
    "Look for one that comes in that format.": "Suche eine in dieser Form.",
    "This hub does not say what its files should contain.": "Dieser Hub sagt nicht, was in seinen Dateien sein soll.",
    "The hub's record of {} makes no sense.": "Was der Hub über {} verzeichnet, ergibt keinen Sinn.",
    "The {} of {} is not there.": "{} von {} ist nicht da.",
    "Look for an update of Rushes.": "Sieh nach einer Aktualisierung von Rushes.",
    "{} holds no weights for {}.": "{} hat keine Gewichte für {}.",
    "Choose another source.": "Wähle eine andere Quelle.",
    "{} lists {} files with {} GB; {} should have {}.": "{} nennt {} Dateien mit {} GB; {} sollte {} haben.",
    "Nothing was downloaded.": "Nichts wurde heruntergeladen.",
    "Update Rushes, or use another source.": "Aktualisiere Rushes, oder nimm eine andere Quelle.",
    "{} is larger than a hub gives in one piece (50 GB).": "{} ist größer, als ein Hub am Stück gibt (50 GB).",
    "Download it with another program and use `app.py models import`.": (
        "Lade es mit einem anderen Programm, dann hilft `app.py models import`."
    ),
    "The weights are only there as {}.": "Die Gewichte gibt es nur als {}.",
    "Update Rushes: the card is old.": "Aktualisiere Rushes: die Karte ist alt.",
    "Only {} of {} parts of the weights are there.": "Von den Gewichten sind nur {} von {} Teilen da.",
    "{} lists a file called {}, which would be written outside the model's folder.": (
        "{} nennt eine Datei {}, die außerhalb des Ordners geschrieben würde."
    ),
    "Do not use this source; tell its owner.": "Nimm diese Quelle nicht; sag es dem, dem sie gehört.",
    "{} lists a file called {}, which not every computer can store.": (
        "{} nennt eine Datei {}, die nicht jeder Rechner ablegen kann."
    ),
    "Choose another source for this model.": "Wähle eine andere Quelle für dieses Modell.",
    "None of {} is in the repository.": "Nichts von {} ist dort.",
    "This model exists only in a file format that can hide programs, so it was refused.": (
        "Dieses Modell gibt es nur in einer Form, die Programme verbergen kann; deshalb wurde es abgewiesen."
    ),
    "Look for a version of it in safetensors.": "Suche eine Fassung davon in safetensors.",
    "'{}' is no LoRA on a hub.": "„{}“ ist keine LoRA auf einem Hub.",
    "Write OWNER/NAME, or OWNER/NAME/FILE.safetensors, as the hub's page shows it.": (
        "Schreib OWNER/NAME oder OWNER/NAME/DATEI.safetensors, wie es auf der Seite des Hubs steht."
    ),
    "{} is not the hub that Rushes downloads from.": "{} ist nicht der Hub, von dem Rushes lädt.",
    "Download the file there, then take it in with `app.py loras add FILE`.": (
        "Lade die Datei dort, dann nimm sie mit `app.py loras add DATEI` auf."
    ),
    "The list of downloads {} cannot be used ({}).": "Die Liste der Downloads {} geht nicht ({}).",
    "Check that the models folder is writable and not on a network drive; if it is damaged, move that file away.": (
        "Prüfe, ob der Ordner für Modelle beschreibbar ist und nicht im Netz liegt; ist die Datei beschädigt, lege sie "
        "beiseite."
    ),
    "'{}' is not being downloaded.": "„{}“ wird nicht heruntergeladen.",
    "See `app.py models` for what there is.": "Was es gibt, zeigt `app.py models`.",
    "The job list {} cannot be used ({}).": "Die Liste der Aufträge {} geht nicht ({}).",
    "Check that the data folder is writable and not on a network drive; if it is damaged, move that file away.": (
        "Prüfe, ob der Datenordner beschreibbar ist und nicht im Netz liegt; ist die Datei beschädigt, lege sie "
        "beiseite."
    ),
}
