"""What the engine says, in German: sentence by sentence, "{}" standing for what it fills in."""

from __future__ import annotations

# What may stand for "{}".
PHRASES = {
    "a starting picture": "ein erstes Bild",
    "a last picture": "ein letztes Bild",
    "pictures at chosen frames": "Bilder an bestimmten Stellen",
    "reference pictures": "Bilder von Personen oder Dingen",
    "a video": "ein Video",
    "a control video (depth, pose or edges)": "ein Video mit einer Bewegung (Tiefe, Posen oder Kanten)",
    "a video of the face": "ein Video des Gesichts",
    "a mask": "eine Maske",
    "starting picture": "erstes Bild",
    "last picture": "letztes Bild",
    "video": "Video",
    "control video": "Video mit einer Bewegung",
    "mask": "Maske",
    "the memory traced on the model's architecture": "der Speicher nach dem Bau des Modells",
    "the memory by a rule of thumb": "der Speicher nach einer Faustregel",
    "Draft": "Skizze",
    "Standard": "Normal",
    "Best": "Bestmöglich",
    "No graphics card": "ohne Grafikkarte",
    "it is a LoRA": "es ist ein LoRA",
    "its weights are stored as I8": "die Gewichte haben das Format I8",
    "its weights are stored as U8": "die Gewichte haben das Format U8",
    "its weights are stored with scales of another kind": "die Gewichte haben Skalen einer anderen Art",
}
SENTENCES = {
    # weights of other programs
    "The {} is read from {}, where another program keeps it.": "Gelesen wird {1}, wo ein anderes Programm die Datei "
    "hat ({0}).",
    "{} of another program, from which {} is read, is gone or changed.": "{} eines anderen Programms, woraus {} "
    "gelesen wird, ist weg oder verändert.",
    "Put it back, or remove the model and install it again.": "Lege sie zurück, oder entferne das Modell und "
    "installiere es neu.",
    "{} is made for {}, but of a kind that Rushes does not read yet: {}.": "{} ist für {}, aber von einer Art, die "
    "Rushes noch nicht liest: {}.",
    "{} is no part of a model that Rushes could read from it.": "{} ist kein Teil eines Modells, den Rushes daraus "
    "lesen könnte.",
    "No model here is read from {}.": "Kein Modell wird hier gelesen aus {}.",
    "Many weights in {} are stored in fewer bits; while they are read they are brought back to more, which takes {} GB "
    "of RAM.": "Viele Gewichte in {} sind mit weniger Bit gespeichert; beim Lesen bekommen sie wieder mehr, was {} GB "
    "Arbeitsspeicher braucht.",
    "The folder {} holds no weights that Rushes can use.": "Im Ordner {} liegen keine Gewichte, die Rushes brauchen "
    "kann.",
    "Choose the file of a model that Rushes knows, in bf16, fp16, fp8 or GGUF, or install it.": "Wähle die Datei "
    "eines Modells, das Rushes kennt, in bf16, fp16, fp8 oder GGUF, oder installiere es.",
    # what was asked
    "The prompt is empty.": "Der Text ist leer.",
    "The prompt has no words in it.": "Im Text steht kein Wort.",
    "Say in a sentence what should be seen.": "Sag in einem Satz, was zu sehen sein soll.",
    "The prompt has invisible control characters in it.": "Im Text stehen unsichtbare Steuerzeichen.",
    "Type it by hand instead.": "Tippe ihn von Hand.",
    "The prompt is {} characters long; no model reads that much.": "Der Text hat {} Zeichen; das liest kein Modell.",
    "Shorten it to at most {} characters.": "Kürze ihn auf höchstens {} Zeichen.",
    "{} knows no word of this prompt: it speaks a small English vocabulary.": "{} kennt kein Wort dieses Textes: es "
    "versteht nur wenige englische Wörter.",
    'Try "{}", or choose a larger model.': "Versuche „{}“, oder wähle ein größeres Modell.",
    "{} takes no negative prompt.": "{} nimmt keinen Text dazu, was nicht zu sehen sein soll.",
    "Leave it empty.": "Lass das Feld leer.",
    "The seed {} is out of range.": "Die Startzahl {} geht nicht.",
    "Use a whole number from 0 to {}.": "Nimm eine ganze Zahl von 0 bis {}.",
    "The dial cannot stand at {}.": "Der Regler kann nicht auf {} stehen.",
    "Use 0 (stay close) to 1 (add detail).": "Nimm 0 (nah bleiben) bis 1 (mehr Details).",
    "The start level {} is out of range.": "Die Startstufe {} geht nicht.",
    "Use a number above 0, up to 1.": "Nimm eine Zahl über 0, bis 1.",
    "{} GB of VRAM is out of range.": "{} GB Grafikspeicher gehen nicht.",
    "Allow the plan 0.5 GB or more.": "Erlaube dem Plan 0,5 GB oder mehr.",
    "There is no graphics card here whose memory could be spared.": (
        "Hier ist keine Grafikkarte, deren Speicher zu schonen wäre."
    ),
    "{} is out of range for {}.": "{0} geht nicht für {1}.",
    "Use a number from {} to {}.": "Nimm eine Zahl von {} bis {}.",
    "Use a number from {} to 1.": "Nimm eine Zahl von {} bis 1.",
    "{} takes at once are not possible.": "{} Entwürfe auf einmal gehen nicht.",
    "Ask for 1 to {}.": "Verlange 1 bis {}.",
    "{} cannot make a clip of {}.": "{0} kann keinen Clip mit {1} machen.",
    "Choose {} to {} frames ({} to {} seconds at {} a second).": "Wähle {} bis {} Bilder ({} bis {} Sekunden mit {} je "
    "Sekunde).",
    "{} cannot make a picture of {}.": "{0} kann kein Bild von {1} machen.",
    "Each side must be from {} to {} pixels.": "Jede Seite muss {} bis {} Pixel haben.",
    "Your own word list refuses '{}'.": "Deine eigene Wortliste weist „{}“ ab.",
    "Change the prompt, or edit filter.txt in your data folder.": "Ändere den Text oder filter.txt im Datenordner.",
    "This machine has no device called '{}'.": "Dieser Rechner hat kein Gerät namens „{}“.",
    "Choose one of: {}.": "Wähle eines von: {}.",
    "This version of Rushes cannot run {} yet: {}.": "Diese Version von Rushes kann {} noch nicht: {}.",
    "Choose another model.": "Wähle ein anderes Modell.",
    "Leave the number format and the offloading to Rushes, or choose others.": "Überlass Genauigkeit und Auslagern "
    "Rushes, oder wähle anderes.",
    "{} cannot be made faster by foretelling steps: it has too few, or cannot do without them.": "{} lässt sich nicht "
    "durch vorhergesagte Schritte beschleunigen: es hat zu wenige oder braucht sie alle.",
    "Leave that choice out.": "Lass das weg.",
    "{} cannot stop in the middle of this.": "{} kann hierbei nicht mittendrin anhalten.",
    "Let the render refine its take.": "Lass die fertige Fassung den Entwurf verfeinern.",
    "A render that continues its take cannot be made faster.": "Eine Fassung, die ihren Entwurf fortsetzt, lässt sich "
    "nicht beschleunigen.",
    "Leave one of the two out.": "Lass eines von beiden weg.",
    # pictures, videos, LoRAs
    "There are two masks, a picture and a video.": "Es gibt zwei Masken, ein Bild und ein Video.",
    "Leave one of them out.": "Lass eines davon weg.",
    "A video and the mask that says what to change in it belong together.": "Ein Video und die Maske, die sagt, was "
    "sich darin ändert, gehören zusammen.",
    "Add the other one, or leave both out.": "Gib das andere dazu oder lass beide weg.",
    "These are more pictures than a model can follow.": "Das sind mehr Bilder, als ein Modell beachten kann.",
    "Choose at most {}.": "Wähle höchstens {}.",
    "Two pictures are given for the same frame.": "Für dieselbe Stelle sind zwei Bilder gegeben.",
    "A strength of {} is out of range.": "Eine Stärke von {} geht nicht.",
    "Of so few steps, none would be left for the video.": "Von so wenigen Schritten bliebe keiner für das Video.",
    "Use a higher strength, or more steps.": "Nimm eine größere Stärke oder mehr Schritte.",
    "The clip has no frame {}.": "Der Clip hat kein Bild {}.",
    "Choose a frame from 0 to {}.": "Wähle ein Bild von 0 bis {}.",
    "{} has no video to stay close to.": "{} hat kein Video, an dem es sich halten könnte.",
    "Leave the strength out.": "Lass die Stärke weg.",
    "{} takes no {}.": "{} nimmt das nicht: {}.",
    "Leave it out, or choose a model that does.": "Lass es weg, oder wähle ein Modell, das es nimmt.",
    "Add one, or choose a model that works from text.": "Gib eines dazu, oder wähle ein Modell, dem Text genügt.",
    "A picture or video of this shot is no longer there.": "Ein Bild oder Video dieser Einstellung ist nicht mehr da.",
    "A video of this shot is no longer there.": "Ein Video dieser Einstellung ist nicht mehr da.",
    "Choose it again.": "Wähle es noch einmal.",
    "Choose the video again.": "Wähle das Video noch einmal.",
    "{} is larger than {} MB.": "{} ist größer als {} MB.",
    "Make it smaller first.": "Mach es zuerst kleiner.",
    "{} is not a picture that can be opened.": "{} ist kein Bild, das sich öffnen lässt.",
    "{} is {} x {} pixels, which no model can use.": "{} hat {} x {} Pixel; damit kann kein Modell etwas anfangen.",
    "Choose a JPEG, PNG or WebP picture.": "Wähle ein Bild als JPEG, PNG oder WebP.",
    "{} is {} x {} pixels, which is too small: {} x {} is the least.": (
        "{} hat {} x {} Pixel, das ist zu klein: {} x {} ist das Mindeste."
    ),
    "{} is {} x {} pixels: more than {} million are too many.": (
        "{} hat {} x {} Pixel: mehr als {} Millionen sind zu viele."
    ),
    "Choose a larger picture.": "Wähle ein größeres Bild.",
    "Choose a larger video.": "Wähle ein größeres Video.",
    "The path of the data folder is too long: it has {} letters, and {} are the most.": (
        "Der Pfad des Datenordners ist zu lang: er hat {} Zeichen, höchstens {} gehen."
    ),
    "Choose a folder nearer to the top of the disk: set RUSHES_HOME to it and start again.": (
        "Wähle einen Ordner näher am Anfang der Platte: setze RUSHES_HOME darauf und starte neu."
    ),
    "This is one of the hub's {}, and no LoRA.": "Das gehört zu den {} des Hubs und ist keine LoRA.",
    "What this clip goes on from is another video here than there.": (
        "Woran dieser Clip anschließt, ist hier ein anderes Video als dort."
    ),
    "Choose the clip yourself.": "Wähle den Clip selbst.",
    "{} carries far more than a recipe of Rushes.": "{} trägt weit mehr als ein Rezept von Rushes.",
    "{} is neither a video nor a recipe.": "{} ist weder ein Video noch ein Rezept.",
    "{} was made by another program: it holds no recipe.": (
        "{} stammt von einem anderen Programm: darin ist kein Rezept."
    ),
    "Choose a video or a recipe file that Rushes made.": (
        "Wähle ein Video oder eine Rezeptdatei, die Rushes gemacht hat."
    ),
    "The approved take's latents are damaged: some numbers are none, so its render would be black.": (
        "Die Zahlen der gewählten Vorschau sind beschädigt: die fertige Fassung wäre schwarz."
    ),
    "The VAE of '{}' is damaged: some of its numbers are none, and every picture would be black.": (
        "Der VAE von „{}“ ist beschädigt: jedes Bild wäre schwarz."
    ),
    "{} is recorded in a format that cannot be played here.": (
        "{} ist in einer Form aufgenommen, die sich hier nicht abspielen lässt."
    ),
    "Export it as MP4 with H.264.": "Gib es als MP4 mit H.264 aus.",
    "Its HDR colours are brought to those of an ordinary screen.": (
        "Seine HDR-Farben sind auf die eines gewöhnlichen Bildschirms gebracht."
    ),
    "{} is only the pointer of a large file (Git LFS): the file itself was not downloaded.": (
        "{} ist nur der Verweis auf eine große Datei (Git LFS): die Datei selbst wurde nicht geladen."
    ),
    "Download the file itself, with the Download button of its page.": (
        "Lade die Datei selbst, mit dem Knopf „Download“ auf ihrer Seite."
    ),
    "{} is a web page, such as a login page, that was saved under the name of the file.": (
        "{} ist eine Webseite, etwa eine Anmeldung, die unter dem Namen der Datei gespeichert wurde."
    ),
    "Sign in there, download the file again and look at its size.": (
        "Melde dich dort an, lade die Datei noch einmal und sieh auf ihre Größe."
    ),
    "{} is a raw recording of a RED camera, which only its maker's programs open.": (
        "{} ist eine Rohaufnahme einer RED-Kamera, die nur deren Programme öffnen."
    ),
    "Export it as MP4 or MOV there.": "Gib sie dort als MP4 oder MOV aus.",
    "{} is not a video that can be played.": "{} ist kein Video, das sich abspielen lässt.",
    "{} has no pictures in it.": "In {} sind keine Bilder.",
    "{} is {} pixels, which no model can use.": "{} hat {} Pixel; damit kann kein Modell etwas anfangen.",
    "{} ends long before its end: it was cut short.": "{} hört lange vor dem Ende auf: es ist abgeschnitten.",
    "Copy or export it again.": "Kopiere es noch einmal oder gib es neu aus.",
    "Choose an MP4, MOV, WebM, MKV or AVI video.": "Wähle ein Video als MP4, MOV, WebM, MKV oder AVI.",
    "{} is a {}, a kind of LoRA that Rushes cannot apply.": "{} ist eine {}, eine Art LoRA, die Rushes nicht kann.",
    "Choose a plain LoRA.": "Wähle eine gewöhnliche LoRA.",
    "{} is a safetensors file, but no LoRA.": "{} ist eine safetensors-Datei, aber keine LoRA.",
    "{} is not a LoRA that can be read.": "{} ist keine LoRA, die sich lesen lässt.",
    "Choose a LoRA in a .safetensors file.": "Wähle eine LoRA in einer .safetensors-Datei.",
    "The LoRA '{}' is made for {}, not for {}.": "Die LoRA „{}“ ist gemacht für {}, nicht für {}.",
    "Choose that model, or leave the LoRA out.": "Wähle jenes Modell oder lass die LoRA weg.",
    "The same LoRA was chosen twice.": "Dieselbe LoRA ist zweimal gewählt.",
    "Choose it once, with one strength.": "Wähle sie einmal, mit einer Stärke.",
    "The strength {} is out of range.": "Die Stärke {} geht nicht.",
    "Use -{} to {}.": "Nimm -{} bis {}.",
    "A LoRA of this shot is no longer there.": "Eine LoRA dieser Einstellung ist nicht mehr da.",
    "Choose its file again, or leave it out.": "Wähle ihre Datei noch einmal oder lass sie weg.",
    "{} draws from words alone; it cannot go on from a picture.": "{} zeichnet nur nach Worten; an ein Bild kann es "
    "nicht anschließen.",
    "Choose a model that can, such as {}.": "Wähle ein Modell, das es kann, etwa {}.",
    "There is no folder {}.": "Einen Ordner {} gibt es nicht.",
    "Choose a folder that another app keeps LoRAs in.": "Wähle einen Ordner, in dem ein anderes Programm LoRAs ablegt.",
    "{} cannot be read as a video.": "{} lässt sich nicht als Video lesen.",
    "Choose another clip.": "Wähle einen anderen Clip.",
    "{} is no file.": "{} ist keine Datei.",
    "Choose a picture or a video.": "Wähle ein Bild oder ein Video.",
    "A render of one step has no first part.": "Eine Fassung mit einem einzigen Schritt hat keinen ersten Teil.",
    "Use more steps, or let the render refine a take.": "Nimm mehr Schritte, oder lass sie einen Entwurf verfeinern.",
    "{} cannot be read ({}).": "{} lässt sich nicht lesen ({}).",
    "{} needs {}.": "{} braucht {}.",
    # what was planned
    "Runs on the CPU: no graphics card that models can use was found.": "Läuft auf dem Prozessor: es fand sich keine "
    "Grafikkarte, die Modelle nutzen können.",
    "Runs on {}, whole.": "Läuft ganz auf {}.",
    "Runs on {}, streamed from the computer's memory block by block: it does not fit whole.": "Läuft auf {}, Block für "
    "Block aus dem Arbeitsspeicher geladen: ganz passt es nicht.",
    "{} of {} GB stay there, which is faster.": "{} von {} GB bleiben dort, was schneller ist.",
    "Runs on {}, one part at a time: all of it at once does not fit.": "Läuft auf {}, ein Teil nach dem anderen: alles "
    "auf einmal passt nicht.",
    "The pictures are decoded in tiles.": "Die Bilder entstehen in Kacheln.",
    "Your words are read in full precision.": "Deine Worte werden in voller Genauigkeit gelesen.",
    "Your words are read with {}-bit storage ({}).": "Deine Worte werden aus einem Speicher von {} Bit ({}) gelesen.",
    "Your words are read with {}-bit weights ({}).": "Deine Worte werden mit Gewichten von {} Bit ({}) gelesen.",
    "With {}-bit storage ({}), which changes the picture a little.": "Gespeichert mit {} Bit ({}), was das Bild ein "
    "wenig ändert.",
    "With {}-bit weights ({}), which changes the picture a little.": "Mit Gewichten von {} Bit ({}), was das Bild ein "
    "wenig ändert.",
    "With GGUF weights.": "Mit GGUF-Gewichten.",
    "With GGUF weights, which changes the picture a little.": "Mit GGUF-Gewichten, was das Bild ein wenig ändert.",
    "The weights are more than half of the memory, so they travel slower.": "Die Gewichte füllen mehr als den halben "
    "Speicher und wandern deshalb langsamer.",
    "The text encoder is let go once the words are read: kept, more than half of the memory is full.": "Der Textleser "
    "wird danach entlassen: bliebe er, wäre mehr als der halbe Speicher voll.",
    "The text encoder is let go once the words are read, as asked.": (
        "Der Textleser geht, sobald die Worte gelesen sind, wie verlangt."
    ),
    "The text encoder is let go once the words are read.": "Der Textleser geht, sobald die Worte gelesen sind.",
    "Attention by {}, as asked.": "Attention wie verlangt.",
    "The text encoder stays ready for new words: there is room for it.": "Der Textleser bleibt bereit: es ist Platz.",
    "The text encoder is streamed from the computer's memory and let go: there is no room for both.": "Der Textleser "
    "fließt aus dem Arbeitsspeicher und geht dann: für beide ist kein Platz.",
    "Attention by torch's own choice for each call: {}.": "Attention wählt torch je Aufruf selbst.",
    "Attention by the memory-efficient kernels: {}.": "Attention mit den speichersparenden Kernels.",
    "{} is larger than {} and this computer's memory hold; it will probably not run.": "{} ist größer, als {} und der "
    "Arbeitsspeicher fassen; es läuft wahrscheinlich nicht.",
    "{} knows one size only, {}, so its take is as large as its render.": "{} kennt nur eine Größe, {}; deshalb ist "
    "sein Entwurf so groß wie die fertige Fassung.",
    "The render takes the last {} of {} steps: its take is past the rest.": "Die fertige Fassung geht nur die "
    "letzten {} von {} Schritten: den Rest hat der Entwurf hinter sich.",
    "estimated, not measured: {}, the time from the test of the card": (
        "geschätzt, nicht gemessen: {}, die Zeit nach der Prüfung der Karte"
    ),
    "estimated, not measured: {}, the time from what is known of the device": "geschätzt, nicht gemessen: {}, die Zeit "
    "nach dem, was über das Gerät bekannt ist",
    "{} for this kind of machine: {}.": "{} für Rechner dieser Art: {}.",
    # what went wrong
    "The disk is full, so the file could not be written.": "Der Datenträger ist voll; die Datei konnte nicht "
    "geschrieben werden.",
    "Free some space, or move the data folder to another drive (RUSHES_HOME), then try again.": "Mach Platz, oder lege "
    "den Datenordner auf ein anderes Laufwerk (RUSHES_HOME), dann versuche es noch einmal.",
    "{} holds whole numbers where a LoRA has fractions.": "{} enthält ganze Zahlen, wo ein LoRA Brüche hat.",
    "'{}' is not a strength for a LoRA.": "„{}“ ist keine Stärke für ein LoRA.",
    "{} holds several LoRAs in one.": "{} enthält mehrere LoRAs auf einmal.",
    "Choose a file with one LoRA.": "Wähle eine Datei mit einem LoRA.",
    "The file is in use by another program.": "Ein anderes Programm benutzt die Datei.",
    "Close that program, then try again.": "Schließe das Programm, dann versuche es noch einmal.",
    "'{}' is no colour.": "„{}“ ist keine Farbe.",
    "Write it as #rrggbb, or by a name such as white.": "Schreib sie als #rrggbb oder mit ihrem englischen Namen, etwa "
    "white.",
    "{} cannot be read.": "{} ist nicht lesbar.",
    "{} cannot be read: it is empty.": "{} ist nicht lesbar: Die Datei ist leer.",
    "Download or copy it again and look at its size.": "Lade oder kopiere sie noch einmal und sieh nach, wie groß sie "
    "ist.",
    "The file could not be written: the disk or its folder is write-protected.": "Die Datei konnte nicht geschrieben "
    "werden: Der Datenträger oder der Ordner ist schreibgeschützt.",
    "Allow writing there, or move the data folder to another drive (RUSHES_HOME), then try again.": "Erlaube dort das "
    "Schreiben, oder lege den Datenordner auf ein anderes Laufwerk (RUSHES_HOME), dann versuche es noch einmal.",
    "A file could not be read or written ({}).": "Eine Datei konnte nicht gelesen oder geschrieben werden ({}).",
    "The data folder {} cannot be found: there is nobody of that name.": "Der Datenordner {} ist nicht zu finden: "
    "Niemand heißt hier so.",
    "Write its whole path: set RUSHES_HOME to it and start again.": "Schreib den ganzen Pfad: Setze RUSHES_HOME darauf "
    "und starte noch einmal.",
    "{} in the data folder cannot be used ({}).": "{} im Datenordner lässt sich nicht benutzen ({}).",
    "Allow writing in the data folder, or remove that file while Rushes is closed, then try again.": "Erlaube das "
    "Schreiben im Datenordner, oder lösche diese Datei, während Rushes geschlossen ist, dann versuche es noch einmal.",
    "{} cannot be brought back ({}).": "{} lässt sich nicht zurückholen ({}).",
    "See that nothing else has its name in the library; it stays in the trash.": "Sieh nach, ob in der Bibliothek "
    "schon etwas so heißt; es bleibt im Papierkorb.",
    "{} entries among the takes and clips cannot be read, such as {}.": "{} Einträge unter den Entwürfen und Clips "
    "sind nicht lesbar, zum Beispiel {}.",
    "They are left alone. Delete them, or put back a copy that you have.": "Sie bleiben, wie sie sind. Lösche sie, "
    "oder lege eine Kopie zurück, die du hast.",
    "The engine process was ended from outside, most likely because memory was short.": "Die Maschine wurde von außen "
    "beendet, wahrscheinlich weil der Speicher knapp war.",
    "The engine process stopped unexpectedly.": "Die Maschine ist unerwartet stehen geblieben.",
    "The computer's memory (RAM) ran out, so the system ended the engine.": "Der Arbeitsspeicher ging aus, und das "
    "System hat die Maschine beendet.",
    "Close other programs, or choose a shorter clip, a smaller size or a smaller model.": "Schließe andere Programme, "
    "oder wähle einen kürzeren Clip, eine kleinere Größe oder ein kleineres Modell.",
    "The model stopped with an error that Rushes does not know.": "Das Modell hielt mit einem Fehler an, den Rushes "
    "nicht kennt.",
    "Try again with the model's own settings; the details are in the logs folder.": "Versuche es mit den Einstellungen "
    "des Modells; Einzelheiten stehen im Ordner logs.",
    "Memory ran out, and it was not to be changed.": "Der Speicher ging aus, und geändert werden sollte nichts.",
    "What was made could not be put into the library.": "Das Ergebnis ließ sich nicht in die Bibliothek legen.",
    "It is kept in {}. See that the disk has room and can be written to, and make it again.": "Es liegt in {}. Sieh "
    "nach, ob auf der Platte Platz ist und sie beschrieben werden kann, und mach es noch einmal.",
    "{} cannot be reached, or the connection keeps breaking.": "{} ist nicht erreichbar, oder die Leitung reißt ab.",
    "Check the internet connection (or the mirror in HF_ENDPOINT), then resume; what has arrived is kept.": "Prüfe die "
    "Internetverbindung (oder den Spiegel in HF_ENDPOINT), dann weiter; was da ist, bleibt.",
    "There is not enough room: {} GB are still to come and {} GB are free.": "Der Platz reicht nicht: {} GB kommen "
    "noch, {} GB sind frei.",
    "{} comes with Rushes and stays.": "{} kommt mit Rushes und bleibt.",
}
