"""Proves that no question of the evaluation can be produced by the topic files: check_held_out.py FILE.jsonl…

Every pattern, with all values of its slots and all synonyms of its words, is tried on every sentence and clause of every
question, so that openings and closings do not hide one. Names the questions that match; fails if any do.
"""

import json
import re
import sys
from pathlib import Path

from computed_rows import SLOTS, WORDS
from topics import SLOT, read_topics
from wording import POLITE_STARTS, read_synonyms

DIALOGUES = Path(__file__).parent / "dialogues"
FEWEST_WORDS = 3  # a greeting or a bare keyword has no wording of its own


def normalised(text):
    return re.sub(r"\s+", " ", re.sub(r"[^a-z0-9' ]+", " ", text.lower())).strip()


class Patterns:
    """The patterns of the topics as regular expressions over normalised text."""

    def __init__(self, topics, synonyms):
        self.lists = {name: _one_of(values) for name, values in topics.lists.items()}
        self.synonyms = synonyms

    def of(self, topic):
        slots = dict(self.lists)
        if topic.rows_of:
            slots.update(dict.fromkeys(SLOTS[topic.rows_of].split(), COMPUTED))
            slots["word"] = self.lists.get("spell-word", COMPUTED)
        for name in topic.rows[0] if topic.rows else ():
            slots[name] = _one_of(value for row in topic.rows for value in row[name])
        return [re.compile(" *" + self._sequence(pattern, slots) + " *") for pattern in topic.patterns]

    def _sequence(self, sequence, slots):
        return "".join(
            self._literal(part, slots)
            if isinstance(part, str)
            else "(?:" + "|".join(self._sequence(alternative, slots) for alternative in part) + ")"
            for part in sequence
        )

    def _literal(self, text, slots):
        pieces = SLOT.split(text)  # literal, slot name, literal, …
        return "".join(slots[piece] if at % 2 else self._words(piece) for at, piece in enumerate(pieces))

    def _words(self, text):
        def with_synonyms(match):
            return _one_of(self.synonyms.get(match[0], (match[0],)))

        text = re.sub(r"[^a-z0-9' ]+", " ", text.lower())
        return re.sub(r" +", " *", re.sub(r"[a-z']+", with_synonyms, text))


def _one_of(values):
    return "(?:" + "|".join(sorted({re.escape(normalised(value)) for value in values})) + ")"


COMPUTED = "(?:[0-9]+|" + "|".join(WORDS) + ")"


def readings(question):
    """The whole text and its sentences and clauses, without polite beginnings."""
    parts = {question, *re.split(r"[.!?]+", question), *re.split(r"[.!?,:;]+", question)}
    polite = sorted((normalised(start) for start in POLITE_STARTS), key=len, reverse=True)
    found = set()
    for part in map(normalised, parts):
        found.add(part)
        found.update(part[len(start) :].strip() for start in polite if start and part.startswith(start + " "))
    return {part for part in found if len(part.split()) >= FEWEST_WORDS}


def main(files):
    topics = read_topics(DIALOGUES.glob("*.txt"))
    synonyms = read_synonyms(DIALOGUES / "synonyms.dict")
    compiled = Patterns(topics, synonyms)
    patterns = [(topic.id, regex) for topic in topics.topics for regex in compiled.of(topic)]
    questions = [json.loads(line) for file in files for line in Path(file).read_text().splitlines() if line]
    known = 0
    for question in questions:
        # What comes before the last turn prepares the question, and is not graded.
        for reading in readings(question["turns"][-1]):
            matching = next((topic for topic, regex in patterns if regex.fullmatch(reading)), None)
            if matching:
                known += 1
                print(f'{question["id"]}: "{reading}" is a wording of {matching}')
                break
    print(f"{len(questions)} questions, {known} of them can be produced by {len(patterns)} patterns")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
