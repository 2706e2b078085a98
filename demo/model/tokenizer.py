"""Byte-level BPE (Radford et al., 2019) with the pre-tokenizer that GGUF files call `smollm`: digits stand alone."""

import re
from collections import Counter, defaultdict

PRE_TOKENIZER = "smollm"
CONTROL_TOKENS = ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
# Letters are \w less digits and _; the dialogues are ASCII, where this is what \p{L} and \p{N} mean.
WORDS = re.compile(r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+|\s+(?=\d)|\s+(?!\S)|\s+")


def byte_alphabet():
    """The character that stands for each byte in the texts of tokens (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, more = {}, 256
    for byte in range(256):
        if byte in printable:
            table[byte] = chr(byte)
        else:
            table[byte] = chr(more)
            more += 1
    return table


ALPHABET = byte_alphabet()


class Tokenizer:
    """`tokens`: text of every token by its ID; `merges`: pairs of texts, the earlier the stronger."""

    def __init__(self, merges):
        self.merges = merges
        self.tokens = [*CONTROL_TOKENS, *ALPHABET.values(), *(left + right for left, right in merges)]
        self.ids = {text: id for id, text in enumerate(self.tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._cache = {}

    def control(self, text):
        return CONTROL_TOKENS.index(text)

    def encode(self, text):
        """IDs of a text; texts of control tokens in it are plain text."""
        return [id for word in WORDS.findall(text) for id in self._word(word)]

    def _word(self, word):
        ids = self._cache.get(word)
        if ids is None:
            symbols = [ALPHABET[byte] for byte in word.encode()]
            while len(symbols) > 1:
                rank, at = min(
                    (self._ranks.get(pair, len(self.merges)), at) for at, pair in enumerate(zip(symbols, symbols[1:]))
                )
                if rank == len(self.merges):
                    break
                symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
            ids = self._cache[word] = [self.ids[symbol] for symbol in symbols]
        return ids

    @classmethod
    def train(cls, texts, size):
        """Joins the most frequent pair of neighbours (of equals: the first in order of text) until `size` tokens are there."""
        counts = Counter(word for text in texts for word in WORDS.findall(text))
        words = [([ALPHABET[byte] for byte in word.encode()], count) for word, count in sorted(counts.items())]
        pairs, where = Counter(), defaultdict(set)
        for at, (symbols, count) in enumerate(words):
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
                where[pair].add(at)
        merges, known = [], {*ALPHABET.values()}
        while len(CONTROL_TOKENS) + len(ALPHABET) + len(merges) < size and pairs:
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            joined = best[0] + best[1]
            if joined not in known:  # a token has one text; the other way to it stays unmerged
                merges.append(best)
                known.add(joined)
            _merge_everywhere(best, words, pairs, where)
        return cls(merges)


def _merge_everywhere(best, words, pairs, where):
    for at in sorted(where.pop(best)):
        symbols, count = words[at]
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] -= count
        position = 0
        while position < len(symbols) - 1:
            if (symbols[position], symbols[position + 1]) == best:
                symbols[position : position + 2] = [best[0] + best[1]]
            position += 1
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += count
            where[pair].add(at)
    del pairs[best]
