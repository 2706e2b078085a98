"""Topic files: the questions and answers that the dialogues are composed of. The format is described in dialogues/README.md."""

import re
from dataclasses import dataclass, field
from pathlib import Path

FIELDS = ("Q", "TELL", "ACK", "ONE", "BRIEF", "UNTOLD", "ROW", "ROWS", "NEXT", "A")


@dataclass
class Topic:
    id: str
    group: str  # the file's name without its ending
    place: str  # file and line, for messages
    questions: list = field(default_factory=list)  # patterns
    answers: list = field(default_factory=list)
    tells: list = field(default_factory=list)  # patterns of telling a fact that is asked for later
    next: list = field(default_factory=list)  # (pattern of a question that follows, answer)
    rows: list = field(default_factory=list)  # slot -> alternatives; one row fills a dialogue
    rows_of: str | None = None  # name of the function that computes rows
    ack: str | None = None
    one: str | None = None
    brief: str | None = None
    untold: str | None = None

    @property
    def patterns(self):
        """Everything that a visitor may say of it."""
        return [*self.questions, *self.tells, *(question for question, _ in self.next)]


@dataclass
class Topics:
    topics: list
    lists: dict  # name -> values

    def group(self, name):
        return [topic for topic in self.topics if topic.group == name]


class FormatError(Exception):
    """A topic file that cannot be read: names file and line."""


def read_topics(paths):
    """Reads topic files. Lists are common to all of them."""
    topics, lists = [], {}
    for path in sorted(Path(p) for p in paths):
        topics += _read_file(path, lists)
    seen = {}
    for topic in topics:
        if topic.id in seen:
            raise FormatError(f"{topic.place}: topic {topic.id} is at {seen[topic.id]} too")
        seen[topic.id] = topic.place
    return Topics(topics, lists)


def _read_file(path, lists):
    topics, topic, answer = [], None, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.name}:{number}"
        if line.startswith("==="):
            topic = Topic(line[3:].strip(), path.stem, place)
            topics.append(topic)
            answer = None
        elif answer is not None and not re.match(r"A:\s*$", line):
            answer.append(line)
        elif line.startswith("LIST "):
            name, _, values = line[5:].partition(":")
            lists.setdefault(name.strip(), []).extend(v.strip() for v in values.split("|") if v.strip())
        elif line.strip() and not line.startswith("#"):
            name, colon, value = line.partition(":")
            if topic is None or not colon or name not in FIELDS:
                raise FormatError(f"{place}: not a line of a topic: {line[:60]}")
            if name == "A":
                answer = [value.strip()] if value.strip() else []
                topic.answers.append(answer)
            else:
                _add_field(topic, name, value.strip(), place)
    for each in topics:
        each.answers = ["\n".join(lines).strip() for lines in each.answers]
    return topics


def _add_field(topic, name, value, place):
    if name == "Q":
        topic.questions.append(parse_pattern(value, place))
    elif name == "TELL":
        topic.tells.append(parse_pattern(value, place))
    elif name == "NEXT":
        question, arrow, answer = value.partition("=>")
        if not arrow:
            raise FormatError(f"{place}: NEXT without =>")
        topic.next.append((parse_pattern(question.strip(), place), answer.strip()))
    elif name == "ROW":
        pairs = (pair.partition("=") for pair in value.split(" ; "))
        topic.rows.append({key.strip(): [v.strip() for v in values.split(" / ")] for key, _, values in pairs})
    elif name == "ROWS":
        topic.rows_of = value
    else:
        setattr(topic, name.lower(), value)


# --- patterns ---------------------------------------------------------------------------------------------------------


def parse_pattern(text, place="pattern"):
    """`a {b|c}` as a sequence of strings and of alternatives (tuples of sequences)."""
    sequence, end = _parse_sequence(text, 0, place)
    if end != len(text):
        raise FormatError(f"{place}: unbalanced braces in {text[:60]}")
    return sequence


def _parse_sequence(text, start, place, inside=False):
    sequence, at = [], start
    while at < len(text):
        if text[at] == "{":
            alternatives, at = _parse_alternatives(text, at + 1, place)
            sequence.append(alternatives)
        elif inside and text[at] in "|}":
            break
        elif text[at] == "}":
            raise FormatError(f"{place}: unbalanced braces in {text[:60]}")
        else:
            end = re.compile(r"[{}|]" if inside else r"[{}]").search(text, at)
            end = end.start() if end else len(text)
            sequence.append(text[at:end])
            at = end
    return sequence, at


def _parse_alternatives(text, at, place):
    alternatives = []
    while True:
        sequence, at = _parse_sequence(text, at, place, inside=True)
        alternatives.append(sequence)
        if at >= len(text):
            raise FormatError(f"{place}: unbalanced braces in {text[:60]}")
        if text[at] == "}":
            return tuple(alternatives), at + 1
        at += 1


def expand(sequence, random):
    """One text of a pattern, with its slots still in it. Spaces next to each other become one."""
    return re.sub(r"\s+", " ", _chosen(sequence, random)).strip()


def _chosen(sequence, random):
    parts = (part if isinstance(part, str) else _chosen(random.choice(part), random) for part in sequence)
    return "".join(parts)


def count(sequence):
    """How many texts a pattern has, slots not filled."""
    total = 1
    for part in sequence:
        if not isinstance(part, str):
            total *= sum(count(alternative) for alternative in part)
    return total


# --- slots ------------------------------------------------------------------------------------------------------------

SLOT = re.compile(r"\[\[([a-z0-9-]+)\]\]")


def slots_in(text):
    return set(SLOT.findall(text))


def literals(sequence):
    """Every literal text of a pattern."""
    for part in sequence:
        if isinstance(part, str):
            yield part
        else:
            for alternative in part:
                yield from literals(alternative)
