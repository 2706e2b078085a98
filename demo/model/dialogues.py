"""Composes dialogues: which topics follow each other, under which system prompt, in which words.

    python3 dialogues.py [--seed 1] [--count 20]      prints some
"""

import argparse
import json
import re
from pathlib import Path
from random import Random

from computed_rows import computed_row
from system import SystemPrompts
from topics import SLOT, expand, read_topics
from wording import Wording, read_synonyms

HERE = Path(__file__).parent
# Shares of the turns. A topic of a group is as probable as every other, but for the weights below.
SHARES = {
    "help-attributes": 15,
    "help-scripting": 12,
    "help-styling": 13,
    "help-basics": 14,
    "help-models": 13,
    "small-talk": 9,
    "unknown": 10,
    "facts": 10,
    "skills": 10,
    "stories": 3,
}
MEMORY_SHARE = 0.1
SYSTEM_SHARES = {None: 46, "plain": 28, "brief": 14, "one": 12}
TURNS = {1: 88, 2: 6, 3: 3, 4: 1.5, 6: 0.8, 8: 0.4, 12: 0.2, 20: 0.1}
# `a [[animal]]` becomes `an owl` where it has to.
ARTICLE_AND_SLOT = re.compile(r"(?:\b([Aa]) )?" + SLOT.pattern)
STARTS_WITH_VOWEL = re.compile(r"[aeio](?!ne\b)|u(?!n?i|s)", re.IGNORECASE)
FIRST_NAMES = "name"  # the list whose values are made up at times, so that any name can be repeated


class Composer:
    """Draws dialogues: lists of {role, content}, answers also with the `subject`. The same seed draws the same ones."""

    def __init__(self, seed, folder=HERE / "dialogues"):
        self.random = Random(seed)
        self.topics = read_topics(folder.glob("*.txt"))
        lists = self.topics.lists
        self.wording = Wording(
            self.random, lists["opener"], lists["closer"], read_synonyms(folder / "synonyms.dict")
        )
        self.system_prompts = SystemPrompts()
        self.groups = {name: self.topics.group(name) for name in SHARES}
        self.memory = self.topics.group("memory")
        self.subjects = [subject for topic in self.topics.topics for subject in (topic.id, told(topic), follows(topic))]
        self.style = None

    def dialogue(self):
        draw = self.random
        self.style = draw.choices(list(SYSTEM_SHARES), weights=SYSTEM_SHARES.values())[0]
        messages = []
        if self.style:
            messages.append({"role": "system", "content": self.system_prompts.draw(self.style, draw)})
        turns = draw.choices(list(TURNS), weights=TURNS.values())[0]
        if draw.random() < MEMORY_SHARE:
            return messages + self._memory_turns(turns)
        return messages + [message for _ in range(turns) for message in self._turn()]

    # --- single turns

    def _turn(self):
        """A question and its answer, at times with a second question that only follows it."""
        group = self.random.choices(list(SHARES), weights=SHARES.values())[0]
        topic = self._topic(self.groups[group])
        slots = self._slots(topic)
        messages = self._exchange(topic.id, topic.questions, self._answer(topic, slots), slots)
        if topic.next and self.style is None and self.random.random() < 0.3:
            question, answer = self.random.choice(topic.next)
            messages += self._exchange(follows(topic), [question], self._fill(answer, slots), slots)
        return messages

    def _topic(self, topics):
        if self.style == "one":
            topics = [topic for topic in topics if topic.one] or [topic for topic in topics if topic.brief] or topics
        # Topics with tables hold many facts, those with many wordings are asked often.
        weights = [min(len(topic.questions), 120) + 2 * min(len(topic.rows), 60) for topic in topics]
        if topics[0].group == "skills":
            weights = [4 if topic.rows_of in ("spell", "sum", "sum-words") else 1 for topic in topics]
        return self.random.choices(topics, weights=weights)[0]

    def _exchange(self, subject, patterns, answer, slots):
        question = expand(self.random.choice(patterns), self.random)
        question = self._fill(question, slots, asked=True)
        protected = [value for name, value in slots.items() if not isinstance(value, list)]
        return [
            {"role": "user", "content": self.wording.rewrite(question, protected)},
            {"role": "assistant", "content": answer, "subject": subject},
        ]

    def _answer(self, topic, slots):
        if self.style == "one" and (topic.one or topic.brief):
            return self._fill(topic.one or topic.brief, slots)
        if self.style == "brief" and topic.brief:
            return self._fill(topic.brief, slots)
        return self._fill(self.random.choice(topic.answers), slots)

    # --- slots

    def _slots(self, topic):
        """The row of this dialogue: slot -> value, or the alternatives of which a question may use any."""
        if topic.rows_of:
            return dict(computed_row(topic.rows_of, self.random, self.topics.lists))
        return dict(self.random.choice(topic.rows)) if topic.rows else {}

    def _fill(self, text, slots, asked=False):
        def value(match):
            article, name = match[1] or "", match[2]
            if name not in slots:
                slots[name] = self._draw(name)
            found = slots[name]
            if isinstance(found, list):
                found = self.random.choice(found) if asked else found[0]
            return (article + ("n " if STARTS_WITH_VOWEL.match(found) else " ") if article else "") + found

        return ARTICLE_AND_SLOT.sub(value, text)

    def _draw(self, name):
        if name == FIRST_NAMES and self.random.random() < 0.5:
            return self._made_up_name()
        return self.random.choice(self.topics.lists[name])

    def _made_up_name(self):
        syllables = self.random.choices((2, 3, 1), weights=(6, 3, 1))[0]
        parts = (
            self.random.choice("b c d f g h j k l m n p r s t v w z br ch dr fr gr kl pr sh st th tr".split())
            + self.random.choice("a e i o u a e i o u ai ea ee io ou".split())
            for _ in range(syllables)
        )
        return ("".join(parts) + self.random.choice(["", "", "n", "r", "s", "l", "m", "x", "k"])).capitalize()

    # --- facts about the visitor

    def _memory_turns(self, turns):
        """One to three facts are told, other talk comes between, and they are asked for; some were never told."""
        draw = self.random
        facts = self._different_facts(draw.choice((1, 1, 1, 2, 2, 3)))
        values = {topic.id: self._slots(topic) for topic in facts}
        messages = []
        for topic in facts:
            slots = values[topic.id]
            messages += self._exchange(told(topic), topic.tells, self._fill(topic.ack, slots), slots)
        for _ in range(draw.choice((0, 0, 1, 1, 2, min(turns, 6)))):
            messages += self._turn()
        for topic in draw.sample(facts, draw.randint(1, len(facts))):
            slots = values[topic.id]
            messages += self._exchange(topic.id, topic.questions, self._answer(topic, slots), slots)
        facts_told = {fact_of(topic) for topic in facts}
        untold = [topic for topic in self.memory if fact_of(topic) not in facts_told]
        if draw.random() < 0.3:
            topic = draw.choice(untold)
            messages += self._exchange(topic.id, topic.questions, topic.untold, {})
        return messages if draw.random() < 0.9 else self._never_told()

    def _different_facts(self, number):
        """Topics of different facts: a pet's name tells of the pet, too."""
        by_fact = {}
        for topic in self.random.sample(self.memory, len(self.memory)):
            by_fact.setdefault(fact_of(topic), topic)
        return list(by_fact.values())[:number]

    def _never_told(self):
        topic = self.random.choice(self.memory)
        return self._exchange(topic.id, topic.questions, topic.untold, {})


def told(topic):
    """The subject of an answer to a fact that was told."""
    return f"{topic.id}, told"


def follows(topic):
    """The subject of an answer to a question that only follows another one."""
    return f"{topic.id}, next"


def fact_of(topic):
    """`memory-pet` and `memory-pet-name` are of one fact, the pet."""
    return topic.id.split("-")[1]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int, default=20)
    options.add_argument("--json", action="store_true", help="one JSON list a line")
    chosen = options.parse_args()
    composer = Composer(chosen.seed)
    for _ in range(chosen.count):
        messages = composer.dialogue()
        if chosen.json:
            print(json.dumps(messages))
        else:
            print("\n".join(f"{message['role']:>9}: {message['content']}" for message in messages), end="\n\n")


if __name__ == "__main__":
    main()
