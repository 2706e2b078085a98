"""Rows that are computed instead of written: numbers and letters. Each function draws one row."""

WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
MOST = 20


def _sum(random):
    # Every pair with a result up to 20 is as probable as every other, and either operand may come first.
    result = random.choices(range(MOST + 1), weights=range(1, MOST + 2))[0]
    a = random.randint(0, result)
    return {"a": a, "b": result - a, "result": result}


def _sum_words(random):
    row = _sum(random)
    return {"a": WORDS[row["a"]], "b": WORDS[row["b"]], "result": WORDS[row["result"]]}


def _listed(numbers):
    return ", ".join(str(number) for number in numbers)


def _count_to(random):
    n = random.randint(2, MOST)
    return {"n": n, "list": _listed(range(1, n + 1))}


def _count_range(random):
    a = random.randint(1, MOST - 2)
    b = random.randint(a + 2, MOST)
    return {"a": a, "b": b, "list": _listed(range(a, b + 1))}


def _count_down(random):
    n = random.randint(3, MOST)
    return {"n": n, "list": _listed(range(n, 0, -1))}


def _count_by(random):
    step, name, most = random.choice(((2, "twos", 20), (5, "fives", 50), (10, "tens", 100)))
    return {"step": name, "n": most, "list": _listed(range(step, most + 1, step))}


def _number_after(random):
    n = random.randint(0, MOST - 1)
    return {"n": n, "result": n + 1}


def _number_before(random):
    n = random.randint(1, MOST)
    return {"n": n, "result": n - 1}


def computed_row(name, random, lists):
    """One row of the computed table `name`: slot -> value."""
    if name == "spell":
        word = random.choice(lists["spell-word"])
        return {"word": word, "letters": "-".join(word)}
    draw = TABLES[name]
    return {slot: str(value) for slot, value in draw(random).items()}


TABLES = {
    "sum": _sum,
    "sum-words": _sum_words,
    "count-to": _count_to,
    "count-range": _count_range,
    "count-down": _count_down,
    "count-by": _count_by,
    "number-after": _number_after,
    "number-before": _number_before,
    "spell": None,
}
SLOTS = {
    "sum": "a b result",
    "sum-words": "a b result",
    "count-to": "n list",
    "count-range": "a b list",
    "count-down": "n list",
    "count-by": "step n list",
    "number-after": "n result",
    "number-before": "n result",
    "spell": "word letters",
}
