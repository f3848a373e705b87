"""Was dieser Rechner kann: Stufen, was stattdessen ginge, was versprochen war und was es dauerte."""

from __future__ import annotations

from ui.texts.forecast import CapabilityTexts, InsteadTexts, OutcomeTexts, TierTexts, TruthTexts

OUTCOME = OutcomeTexts(
    label="Wie gut",
    by_hand="Wie eingestellt",
    draft="Skizze",
    standard="Normal",
    best="Bestmöglich",
    means="{outcome} heißt für „{tier}“: {seconds} in {size} mit {steps} Schritten.",
    keep="Als mein „{outcome}“ behalten",
    kept="Behalten. Von nun an ist das dein „{outcome}“ für {model}.",
)
TIER = TierTexts(
    heading="Was Skizze, Normal und Bestmöglich hier heißen",
    chosen="Dein Rechner gilt als „{tier}“. {summary}",
    others="Als etwas anderes gelten lassen",
    use="Nehmen",
    automatic="Wieder von selbst wählen",
    now="Gilt jetzt als „{tier}“.",
    delete="Diese löschen",
)
INSTEAD = InsteadTexts(
    heading="Was passen würde",
    nothing="Nichts von dem, was versucht wurde, passt auf diesen Rechner.",
    use="Das nehmen",
)
CAPABILITY = CapabilityTexts(
    heading="Was kann mein Rechner?",
    hint="Jedes Modell in drei Stufen, bevor etwas geladen wird. Nichts davon ist gemessen, wenn es nicht dabeisteht.",
    model="Modell",
    first="Zuerst installieren, für {what}: {model}. {why} {download} zu laden. Ein Clip dauert {time}. {licence}",
    none="Von den Modellen zum Laden läuft hier so wohl keines; wird eines gewählt, steht dort, was passen würde.",
    show="Dieses Modell zeigen",
    cell="{seconds} s in {size}, fertig in {time}",
    refused="nicht möglich",
)
TRUTH = TruthTexts(
    both="versprochen {forecast}, gedauert {took}",
    fit="Wenn der Speicher ausgeht, das Bild ändern, ohne zu fragen",
    size="Größe der fertigen Fassung, etwa 640x384",
    bad_size="Größe: „{text}“ sind nicht zwei ganze Zahlen mit einem x dazwischen.",
)
