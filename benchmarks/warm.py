"""What the first take of a session costs, and what the next ones save: the model kept warm, words read once.

    python bootstrap.py -m benchmarks.warm [--model starter] [--rounds 3] [--json] [--write]

Four takes of the same size: in a new session with new words (cold), in a new session with words that were read before,
then in the same session with the same words (warm), and with new ones. Seconds are medians from asking to `Finished`,
the MP4 apart; a new session pays for starting the engine process and importing torch, which is told beside it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import publishing
from engine import Engine, Finished, Progress, Request

WORDS = "a red ball rolls to the left on a blue background"
OTHER = "a green box goes up over the sea at sunset"


def take(studio: Engine, request: Request) -> dict[str, float]:
    """Seconds of one take, and how often a model was loaded and words were read for it."""
    started = time.perf_counter()
    (job,) = studio.make_takes(request)
    events = list(studio.watch(job.id))
    final = events[-1]
    if not isinstance(final, Finished):
        raise SystemExit(f"a take did not finish: {final}")
    wall = time.perf_counter() - started - final.encode_seconds
    told = Counter(event.phase for event in events if isinstance(event, Progress))
    return {"wall": wall, "engine": final.seconds, "loads": told["loading"], "words_read": told["prompt"]}


def measure(home: Path, model: str, rounds: int) -> dict[str, Any]:
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in ("cold", "next_session", "warm", "other_words")}
    for _ in range(rounds):
        shutil.rmtree(home / "prompts", ignore_errors=True)
        for name in ("cold", "next_session"):
            with Engine(home) as studio:
                studio.start()
                rows[name].append(take(studio, Request(prompt=WORDS, model=model, seed=1)))
                if name == "next_session":
                    rows["warm"].append(take(studio, Request(prompt=WORDS, model=model, seed=2)))
                    rows["other_words"].append(take(studio, Request(prompt=OTHER, model=model, seed=1)))
    middle = {
        name: {field: round(median(row[field] for row in found), 3) for field in found[0]}
        for name, found in rows.items()
    }
    ratio = round(middle["warm"]["wall"] / middle["cold"]["wall"], 3)
    return {"model": model, "rounds": rounds, "warm_over_cold": ratio, "seconds": middle}


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        result = measure(Path(home), options.model, options.rounds)
    publishing.publish("warm", result, options)


if __name__ == "__main__":
    main()
