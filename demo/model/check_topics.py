"""Checks topic files and tells how much they hold: check_topics.py [FILE…] (all of dialogues/ by default)."""

import sys
from pathlib import Path

import computed_rows
from topics import FormatError, count, literals, read_topics, slots_in

HERE = Path(__file__).parent
FEW = 15  # questions of a topic below which it is named


def problems_of(topic, lists):
    if not topic.answers:
        yield "has no answer"
    if not topic.questions:
        yield "has no question"
    if topic.tells and not (topic.ack and topic.untold):
        yield "tells without ACK and UNTOLD"
    if topic.rows_of and topic.rows_of not in computed_rows.SLOTS:
        yield f"ROWS: {topic.rows_of} is not known"
        return
    known = set(lists)
    if topic.rows_of:
        known |= set(computed_rows.SLOTS[topic.rows_of].split())
    if topic.rows:
        known |= set(topic.rows[0])
        for row in topic.rows:
            if set(row) != set(topic.rows[0]):
                yield f"row {row} has other slots than the first"
    used = set().union(*(slots_in(text) for pattern in topic.patterns for text in literals(pattern)))
    texts = topic.answers + [text for _, text in topic.next]
    texts += [text for text in (topic.one, topic.brief, topic.ack, topic.untold) if text]
    used |= set().union(*(slots_in(text) for text in texts)) if texts else set()
    for slot in sorted(used - known):
        yield f"slot {slot} is neither in a row nor a list"
    if any(text.count("```") % 2 for text in texts):
        yield "an answer has an open code block"


def main(paths):
    files = [Path(path) for path in paths] or sorted((HERE / "dialogues").glob("*.txt"))
    try:
        topics = read_topics(files)
    except FormatError as error:
        sys.exit(str(error))
    failed = False
    for group in sorted(path.stem for path in files):
        chosen = topics.group(group)
        for topic in chosen:
            for problem in problems_of(topic, topics.lists):
                failed = True
                print(f"{topic.place}: {topic.id} {problem}")
            if len(topic.questions) < FEW:
                print(f"{topic.place}: {topic.id} has only {len(topic.questions)} Q lines")
        lines = sum(len(topic.questions) for topic in chosen)
        texts = sum(count(pattern) for topic in chosen for pattern in topic.questions)
        print(f"{group}: {len(chosen)} topics, {lines} Q lines, {texts} questions before slots")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
