"""What the cards say of their models, in German; used like `sentences`."""

from __future__ import annotations

CARDS = {
    "about {} times as fast in drawing the starter's clips, at a likeness (SSIM) of {} to the same clip drawn whole": (
        "zeichnet die Clips des Starters etwa {}-mal so schnell, zu {} (SSIM) wie derselbe Clip ganz gezeichnet"
    ),
    # what each model is good at
    "720p detail, camera moves, text in the picture": "Feinheiten in 720p, Kamerafahrten, Schrift im Bild",
    "720p from pictures in half the time": "720p aus Bildern in der halben Zeit",
    "720p on one consumer card, text and image in one model": (
        "720p auf einer einzigen Karte für zu Hause, Text und Bild in einem Modell"
    ),
    "animating photos and artwork in high resolution": "Fotos und Zeichnungen in hoher Auflösung bewegen",
    "animating photos and artwork, portraits": "Fotos, Zeichnungen und Porträts bewegen",
    "animating photos, steady characters, first and last frame": (
        "Fotos bewegen, Figuren, die sich gleich bleiben, erstes und letztes Bild"
    ),
    "animating pictures in 720p": "Bilder in 720p bewegen",
    "animating pictures of any shape": "Bilder jeder Form bewegen",
    "animating pictures on consumer cards": "Bilder auf Karten für zu Hause bewegen",
    "animating pictures on small cards": "Bilder auf kleinen Karten bewegen",
    "animating pictures on small cards, free licence": "Bilder auf kleinen Karten bewegen, freie Lizenz",
    "animating portraits and scenes in a film look": "Porträts und Szenen bewegen, wie im Film",
    "cinematic light and camera, complex motion": "Licht und Kamera wie im Kino, verwickelte Bewegung",
    "consumer cards, readable text in the picture, two languages": (
        "Karten für zu Hause, lesbare Schrift im Bild, zwei Sprachen"
    ),
    "control videos (depth, pose, edges), inpainting, references": (
        "Videos als Vorgabe (Tiefe, Posen, Kanten), Stellen neu malen, Vorbilder"
    ),
    "detail, key frames, continuing a clip": "Feinheiten, Bilder an bestimmten Stellen, einen Clip fortsetzen",
    "following long prompts, restyling clips": "lange Texte befolgen, Clips umgestalten",
    "half the waiting time of the 480p model": "halb so lange warten wie beim Modell für 480p",
    "larger pictures, 10 second clips": "größere Bilder, Clips von 10 Sekunden",
    "long clips, small cards, dancing and talking people": (
        "lange Clips, kleine Karten, Menschen, die tanzen und sprechen"
    ),
    "motion, people, readable signs in English and Chinese": (
        "Bewegung, Menschen, lesbare Schilder auf Englisch und Chinesisch"
    ),
    "performance transfer, character replacement": "Schauspiel übertragen, Figuren austauschen",
    "quick results from pictures": "schnelle Ergebnisse aus Bildern",
    "realistic people, film look, many community LoRAs": "echt wirkende Menschen, Filmbild, viele LoRAs von anderen",
    "small cards, free licence, Russian prompts": "kleine Karten, freie Lizenz, russische Texte",
    "small cards, quick ideas, people and animals in motion": (
        "kleine Karten, schnelle Einfälle, Menschen und Tiere in Bewegung"
    ),
    "smooth motion, photorealism": "fließende Bewegung, wie fotografiert",
    "speed with detail, key frames, long shots": (
        "schnell und doch fein, Bilder an bestimmten Stellen, lange Einstellungen"
    ),
    "speed, free licence, Russian prompts": "Tempo, freie Lizenz, russische Texte",
    "speed, small cards, key frames": "Tempo, kleine Karten, Bilder an bestimmten Stellen",
    "talking people, sound with the picture, long clips": "sprechende Menschen, Ton zum Bild, lange Clips",
    "talking people, sound with the picture, speed": "sprechende Menschen, Ton zum Bild, Tempo",
    "the large Wan on 12 to 16 GB, slow connections, small disks": (
        "das große Wan auf 12 bis 16 GB, langsame Leitungen, kleine Datenträger"
    ),
    "transitions, loops, transformations": "Übergänge, Schleifen, Verwandlungen",
    "very small cards, free licence": "sehr kleine Karten, freie Lizenz",
    # what each model is
    "5 seconds of 720p at 24 frames a second from text or from a picture, on a single 24 GB card.": (
        "5 Sekunden in 720p mit 24 Bildern je Sekunde aus Text oder einem Bild, auf einer einzigen Karte mit 24 GB."
    ),
    "A light successor of HunyuanVideo (8.3B): 5 seconds from text, at home on consumer cards.": (
        "Ein leichter Nachfolger von HunyuanVideo (8,3B): 5 Sekunden aus Text, zu Hause auf gewöhnlichen Karten."
    ),
    "A small, free model of late 2025: 5 seconds at 512x768 from English or Russian text.": (
        "Ein kleines, freies Modell von Ende 2025: 5 Sekunden mit 512x768 aus englischem oder russischem Text."
    ),
    "A small, freely usable model of 2024: 6 seconds at 8 frames a second, on cards from 4 GB.": (
        "Ein kleines, frei nutzbares Modell von 2024: 6 Sekunden mit 8 Bildern je Sekunde, auf Karten ab 4 GB."
    ),
    "A toy world that ships with Rushes: coloured shapes that move over simple scenes. For trying the "
    "studio without a download; it knows about 200 words.": (
        "Eine Spielzeugwelt, die mit Rushes kommt: bunte Formen, die sich über einfache Szenen bewegen. Um "
        "das Studio ohne Download auszuprobieren; es kennt etwa 200 Wörter."
    ),
    "A very fast 2B model: text, pictures at any moment of the clip, or a clip to continue.": (
        "Ein sehr schnelles Modell mit 2B: Text, Bilder an jeder Stelle des Clips, oder ein Clip, der weitergeht."
    ),
    "Brings a picture to life: a 5 second clip at 480p that starts from your image and follows your words.": (
        "Bringt ein Bild zum Leben: ein Clip von 5 Sekunden in 480p, der mit deinem Bild anfängt und deinen "
        "Worten folgt."
    ),
    "Brings a picture to life: a 5 second clip at 720p that starts from your image and follows your words.": (
        "Bringt ein Bild zum Leben: ein Clip von 5 Sekunden in 720p, der mit deinem Bild anfängt und deinen "
        "Worten folgt."
    ),
    "Genmo's 10B model: fluid, physically plausible motion from text at 480p and 30 frames a second.": (
        "Das Modell von Genmo (10B): fließende, glaubhafte Bewegung aus Text in 480p mit 30 Bildern je Sekunde."
    ),
    "HunyuanVideo 1.5 from text at 720p: more detail, about four times the work of 480p.": (
        "HunyuanVideo 1.5 aus Text in 720p: feiner, etwa viermal so viel Arbeit wie 480p."
    ),
    "HunyuanVideo 1.5 that starts from your picture, at 480p.": (
        "HunyuanVideo 1.5, das mit deinem Bild anfängt, in 480p."
    ),
    "HunyuanVideo 1.5 that starts from your picture, at 720p.": (
        "HunyuanVideo 1.5, das mit deinem Bild anfängt, in 720p."
    ),
    "HunyuanVideo that starts from your picture: up to 5 seconds at 720p.": (
        "HunyuanVideo, das mit deinem Bild anfängt: bis zu 5 Sekunden in 720p."
    ),
    "{} in 8 steps plus 3 on the enlarged clip: picture and sound in a fraction of the time.": (
        "{} in 8 Schritten und 3 weiteren am vergrößerten Clip: Bild und Ton in einem Bruchteil der Zeit."
    ),
    "Long clips from one picture: it works section by section, so that a minute needs no more graphics "
    "memory than a second.": (
        "Lange Clips aus einem Bild: es geht Abschnitt für Abschnitt vor, sodass eine Minute nicht mehr "
        "Grafikspeicher braucht als eine Sekunde."
    ),
    "Moves the character of your picture like the person in your video, faces included, or puts the "
    "character in that person's place.": (
        "Bewegt die Figur deines Bildes wie die Person in deinem Video, samt Gesicht, oder setzt sie an deren Stelle."
    ),
    "Moves your picture for 5 or 10 seconds at 16 frames a second, in the picture's own shape.": (
        "Bewegt dein Bild 5 oder 10 Sekunden lang mit 16 Bildern je Sekunde, in seiner eigenen Form."
    ),
    "Moves your picture for 6 seconds at 8 frames a second, always at 720x480.": (
        "Bewegt dein Bild 6 Sekunden lang mit 8 Bildern je Sekunde, immer mit 720x480."
    ),
    "One model for control: follow a depth, pose or edge video, repaint a masked region, or put the "
    "people and things of reference pictures into a new clip.": (
        "Ein Modell für genaue Vorgaben: es folgt einem Video aus Tiefe, Posen oder Kanten, malt eine "
        "maskierte Stelle neu oder setzt Personen und Dinge aus Bildern in einen neuen Clip."
    ),
    "Picture and sound in one go: speech, noises and music that fit the clip, up to 20 seconds.": (
        "Bild und Ton in einem: Sprache, Geräusche und Musik, die zum Clip passen, bis zu 20 Sekunden."
    ),
    "Tencent's 13B film-maker of late 2024: natural people, light and camera from text, up to 5 seconds.": (
        "Der Filmemacher von Tencent (13B, Ende 2024): natürliche Menschen, Licht und Kamera aus Text, bis zu"
        " 5 Sekunden."
    ),
    "The 480p image model with its guidance built in: the same steps in half the time, no negative prompt.": (
        "Das Modell für Bilder in 480p, dessen Führung eingebaut ist: dieselben Schritte in der halben Zeit, "
        "ohne Text dazu, was nicht zu sehen sein soll."
    ),
    "The 480p text model with its guidance built in: the same steps in half the time, no negative prompt.": (
        "Das Modell für Text in 480p, dessen Führung eingebaut ist: dieselben Schritte in der halben Zeit, "
        "ohne Text dazu, was nicht zu sehen sein soll."
    ),
    "The 720p image model with its guidance built in: the same steps in half the time, no negative prompt.": (
        "Das Modell für Bilder in 720p, dessen Führung eingebaut ist: dieselben Schritte in der halben Zeit, "
        "ohne Text dazu, was nicht zu sehen sein soll."
    ),
    "The fast one: your picture moves after 8 to 12 steps, in about a quarter of the time of the 480p model.": (
        "Das schnelle: dein Bild bewegt sich nach 8 bis 12 Schritten, in etwa einem Viertel der Zeit des "
        "Modells für 480p."
    ),
    "The large LTX-Video in 7 steps, then 3 more on the enlarged clip: HD within seconds on a strong card.": (
        "Das große LTX-Video in 7 Schritten und 3 weiteren am vergrößerten Clip: HD in Sekunden auf einer "
        "starken Karte."
    ),
    "The large LTX-Video: more detail and better physics than the 2B, made small first and then enlarged "
    "by its own upsampler.": (
        "Das große LTX-Video: feiner und glaubhafter bewegt als das mit 2B, erst klein gemacht und dann von "
        "seinem eigenen Vergrößerer vergrößert."
    ),
    "The large Wan 2.1 in a file of 10 GB instead of 57: less to download and to hold, for a small loss of detail.": (
        "Das große Wan 2.1 in einer Datei von 10 statt 57 GB: weniger zu laden und zu halten, für ein wenig Feinheit."
    ),
    "The large Wan 2.1: clips from text at 480p or 720p, with strong motion and good faces.": (
        "Das große Wan 2.1: Clips aus Text in 480p oder 720p, mit starker Bewegung und guten Gesichtern."
    ),
    "The large Wan 2.2 for pictures: your image becomes the first frame, an optional second image the last.": (
        "Das große Wan 2.2 für Bilder: dein Bild wird das erste des Clips, ein zweites, wenn du willst, das letzte."
    ),
    "The large Wan 2.2: two 14B experts, one for layout and motion, one for detail. Film-like light and "
    "camera work from text.": (
        "Das große Wan 2.2: zwei Fachleute mit je 14B, einer für Aufbau und Bewegung, einer für Feinheiten. "
        "Licht und Kamera wie im Film, aus Text."
    ),
    "The larger CogVideoX: 6 seconds at 8 frames a second from text, or a clip made anew.": (
        "Das größere CogVideoX: 6 Sekunden mit 8 Bildern je Sekunde aus Text, oder ein Clip, neu gemacht."
    ),
    "The refined LTX-2: cleaner sound and finer pictures than LTX-2, up to 20 seconds with speech and music.": (
        "Das verfeinerte LTX-2: klarerer Ton und feinere Bilder, bis zu 20 Sekunden mit Sprache und Musik."
    ),
    "The second CogVideoX: 5 or 10 seconds at 16 frames a second and 1360x768.": (
        "Das zweite CogVideoX: 5 oder 10 Sekunden mit 16 Bildern je Sekunde und 1360x768."
    ),
    "The small Kandinsky in 16 steps without guidance: about six times faster, a little less detail.": (
        "Das kleine Kandinsky in 16 Schritten ohne Führung: etwa sechsmal so schnell, ein wenig gröber."
    ),
    "The small Kandinsky that starts from your picture: 5 seconds at about 512x768.": (
        "Das kleine Kandinsky, das mit deinem Bild anfängt: 5 Sekunden mit etwa 512x768."
    ),
    "The small Wan: short clips from text on almost any graphics card. A good first model of the open world.": (
        "Das kleine Wan: kurze Clips aus Text auf fast jeder Grafikkarte. Ein gutes erstes Modell der offenen Welt."
    ),
    "You give the first and the last picture, it makes the 5 seconds between them.": (
        "Du gibst das erste und das letzte Bild, es macht die 5 Sekunden dazwischen."
    ),
}
