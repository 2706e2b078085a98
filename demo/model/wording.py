"""How people write: what happens to a question of the topic files before the model sees it."""

import re

QUESTION_WORDS = set(
    "what whats which who whose where when why how hows is are am do does did can could will would should may has have".split()
)
SMALL_WORDS = set(
    "a an the do does did is are am i you we it its to of for in on at my your our this that with and be can could would "
    "please there some any so just".split()
)
POLITE_STARTS = (
    "please|hey,|hi,|hello,|ok,|okay,|so,|well,|um,|can you tell me|could you tell me|tell me|please tell me|do you know|"
    "i want to know|i would like to know|i'd like to know|i wonder|i was wondering|any idea|quick question:|question:|"
    "help:|can you say|may i ask|let me ask|i need to know|explain|can you explain|please explain|now|next,|also,|and|"
    "alright,|great,|thanks,|right,|sorry,|oh,|hmm,|excuse me,|you there?|pip,|hey pip,|ok pip,"
).split("|")
NAMES_OF_THE_TAG = "gguf chat|ggufchat|the gguf-chat tag|the gguf chat tag|<gguf-chat>|the gguf-chat element|GGUF chat|Gguf-chat|gguf_chat".split("|")
CLOSED = (".", "!", "?")


class Wording:
    """Rewrites questions; everything that it adds comes from the lists `opener`, `closer` and the groups of synonyms."""

    def __init__(self, random, openers, closers, synonyms):
        self.random = random
        self.openers = openers
        self.closers = closers
        self.synonyms = synonyms  # word -> words of its group

    def rewrite(self, text, protected=()):
        """`text` as somebody may type it. Values in `protected` (names, words to spell) keep their letters."""
        words = text.split(" ")
        kept = {word for value in protected for word in str(value).split(" ")}
        free = [not (word in kept or re.search(r"[^a-zA-Z',?]", word)) for word in words]
        words = self._say_otherwise(words, free)
        chance = self.random.random
        if chance() < 0.05:
            words = self._keywords_only(words)
        elif chance() < 0.08:
            words = self._drop_small_word(words)
        words = [self._misspell(word) if chance() < 0.012 and self._is_free(word, kept) else word for word in words]
        text = " ".join(words)
        if "gguf-chat" in text and "<gguf-chat" not in text and chance() < 0.35:
            text = text.replace("gguf-chat", self.random.choice(NAMES_OF_THE_TAG), 1).replace("the the ", "the ")
        return self._frame(text)

    @staticmethod
    def _is_free(word, kept):
        return word.isalpha() and word.isascii() and len(word) > 3 and word not in kept

    def _say_otherwise(self, words, free):
        out = []
        for word, may_change in zip(words, free):
            group = self.synonyms.get(word) if may_change else None
            out.append(self.random.choice(group) if group and self.random.random() < 0.2 else word)
        return out

    def _keywords_only(self, words):
        rest = [word for word in words if word.lower() not in SMALL_WORDS and word.lower() not in QUESTION_WORDS]
        return rest if len(rest) >= 2 else words

    def _drop_small_word(self, words):
        small = [at for at, word in enumerate(words) if word in SMALL_WORDS]
        if not small or len(words) < 4:
            return words
        at = self.random.choice(small)
        return words[:at] + words[at + 1 :]

    def _misspell(self, word):
        at = self.random.randrange(1, len(word) - 1)
        kind = self.random.randrange(4)
        if kind == 0:  # two letters change places
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if kind == 1:  # one is missing
            return word[:at] + word[at + 1 :]
        if kind == 2:  # one is there twice
            return word[:at] + word[at] + word[at:]
        return word[:at] + self.random.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]

    def _frame(self, text):
        """Opening and closing words, capitals, punctuation."""
        chance = self.random.random
        asks = text.split(" ", 1)[0].lower() in QUESTION_WORDS
        if chance() < 0.14:
            text = f"{self.random.choice(POLITE_STARTS)} {text}"
        opener = self.random.choice(self.openers) if chance() < 0.16 else ""
        closer = self.random.choice(self.closers) if chance() < 0.1 else ""
        if text[-1] not in CLOSED:
            text += self._end_mark(asks)
        if closer:
            text = (text if text[-1] in CLOSED else text + self.random.choice((",", "", ""))) + " " + closer
        if opener:
            text = f"{opener} {text}"
        return self._capitals(text)

    def _end_mark(self, asks):
        if asks:
            return self.random.choices(("?", "", "??", "."), weights=(60, 36, 2, 2))[0]
        return self.random.choices(("", ".", "!", "?"), weights=(50, 34, 4, 12))[0]

    def _capitals(self, text):
        chance = self.random.random()
        if chance < 0.02:
            return text.upper()
        if chance < 0.4:
            return text
        text = re.sub(r"\bi\b(?=[ ']|$)", "I", text)
        return re.sub(r"(^|[.!?] )([a-z])", lambda match: match[1] + match[2].upper(), text)


def read_synonyms(path):
    """Groups of words that stand for each other, one a line: `set | change | adjust`."""
    groups = {}
    for line in path.read_text().splitlines():
        words = [word.strip() for word in line.partition("#")[0].split("|") if word.strip()]
        for word in words:
            groups.setdefault(word, set()).update(words)
    return {word: sorted(group) for word, group in groups.items()}
