"""Trains Pip, the built-in model, from nothing but the topic files, and writes it as a GGUF file.

    python3 train.py --out pip.gguf [--steps 5400] [--seed 1]

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy and, for speed, libopenblas0-pthread).
"""

import argparse
import ctypes
import json
import os
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from chat_format import encode_dialogue
from dialogues import Composer
from export import export
from network import Network, Shape
from tokenizer import Tokenizer

POOL = 4096  # dialogues that are sorted by length before they are cut into batches
BATCH_TOKENS = 3840
# Of one row, in tokens: divisors of a batch.
LENGTHS = (24, 32, 40, 48, 60, 64, 80, 96, 120, 128, 160, 192, 240, 320, 384, 480, 640, 768, 960, 1280, 1920)
LEARNT_TOKENS = 2560  # of a batch: those of answers, and as many others as have room
# What an answer is about shows in its first words; the rest is soon known by heart. So most dialogues end there, and
# more questions fit into the same time.
CUT_SHARE = 0.65
CUT_AFTER = (5, 14)  # tokens of the last answer
PADDING, QUESTION, ANSWER = -1, 0, 1
QUESTION_WEIGHT = 0.25  # what a token of a question counts beside one of an answer
RATE = 0.0025
DECAY = 0.1  # of the matrices
WARM_UP = 0.02  # of the steps


def keep_memory():
    """Lets glibc keep freed memory: asking the system for it again in every step costs a sixth of the time."""
    most, trim_threshold, mmap_threshold = 2**31 - 1, -1, -3
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, most)


class Batches:
    """Endless batches of dialogues of about the same length, each of BATCH_TOKENS tokens with padding.

    oneDNN prepares a program for every new shape, which costs more than running it: so there are few shapes.
    """

    def __init__(self, composer, tokenizer):
        self.composer, self.tokenizer = composer, tokenizer

    def __iter__(self):
        while True:
            pool = sorted((self._encoded() for _ in range(POOL)), key=lambda encoded: len(encoded[0]), reverse=True)
            batches = []
            while pool:
                length = min(length for length in LENGTHS if length >= min(len(pool[0][0]), LENGTHS[-1]))
                count = BATCH_TOKENS // length
                batches.append(self._padded(pool[:count], count, length))
                del pool[:count]
            self.composer.random.shuffle(batches)
            yield from batches

    def _encoded(self):
        ids, answers = encode_dialogue(self.composer.dialogue(), self.tokenizer)
        draw = self.composer.random
        if draw.random() < CUT_SHARE:
            start = len(answers) - answers[::-1].index(False)  # of the last answer
            end = start + draw.randint(*CUT_AFTER)
            return ids[:end], answers[:end]
        return ids, answers

    @staticmethod
    def _padded(dialogues, count, length):
        """ids (count, length) int64 and kinds (count, length) int8 of tokens; what is too long is cut off."""
        ids = torch.zeros(count, length, dtype=torch.int64)
        kinds = torch.full((count, length), PADDING, dtype=torch.int8)
        for row, (row_ids, answers) in enumerate(dialogues):
            used = min(len(row_ids), length)
            ids[row, :used] = torch.tensor(row_ids[:used])
            kinds[row, :used] = torch.tensor(answers[:used], dtype=torch.int8)
        return ids, kinds


def losses(network, ids, kinds):
    """Mean loss with the weights of the kinds, and the mean of the answers alone."""
    hidden = network(ids)  # of the last position, nothing is learnt
    targets, kinds = ids.roll(-1, 1).flatten(), kinds.roll(-1, 1)
    kinds[:, -1] = PADDING
    kinds = kinds.flatten()
    # Answers first, then a random part of the questions: always as many positions, see Batches.
    order = torch.where(kinds == ANSWER, 2.0, torch.rand(kinds.shape) * (kinds == QUESTION))
    chosen = order.topk(LEARNT_TOKENS).indices
    targets, kinds = targets[chosen], kinds[chosen]
    logits = network.logits(hidden.flatten(0, 1)[chosen])
    each = F.cross_entropy(logits.float(), targets, reduction="none")
    weights = (kinds == ANSWER) + QUESTION_WEIGHT * (kinds == QUESTION)
    return (each * weights).sum() / weights.sum(), each.detach()[kinds == ANSWER].mean().item()


def optimizer_for(network):
    matrices = [weight for weight in network.parameters() if weight.ndim == 2]
    norms = [weight for weight in network.parameters() if weight.ndim == 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95))


def train(network, batches, steps, report, checkpoint):
    optimizer = optimizer_for(network)
    start, tokens, running = time.monotonic(), 0, None
    for step, (ids, kinds) in zip(range(steps), batches):
        share = step / steps
        for group in optimizer.param_groups:
            group["lr"] = RATE * min((step + 1) / (WARM_UP * steps + 1), (1 - share) / (1 - WARM_UP))
        with torch.autocast("cpu", torch.bfloat16):
            loss, answer_loss = losses(network, ids, kinds)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += int((kinds != PADDING).sum())
        running = answer_loss if running is None else 0.98 * running + 0.02 * answer_loss
        if step % 50 == 49 or step == steps - 1:
            seconds = time.monotonic() - start
            report({"step": step + 1, "answerLoss": round(running, 4), "tokens": tokens, "seconds": round(seconds)})
        if step % 500 == 499:
            checkpoint()


def learn_tokens(seed, size, dialogues):
    composer = Composer(seed)
    texts = (message["content"] for _ in range(dialogues) for message in composer.dialogue())
    return Tokenizer.train(texts, size)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--steps", type=int, default=5400)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--tokenizer-dialogues", type=int, default=54000, help="how many the tokens are learnt from")
    options.add_argument("--log", type=Path, help="where a line of JSON is added every 50 steps")
    chosen = options.parse_args()
    keep_memory()
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(chosen.seed)
    shape = Shape()
    tokenizer = learn_tokens(chosen.seed, shape.vocabulary, chosen.tokenizer_dialogues)
    network = Network(shape)
    batches = Batches(Composer(chosen.seed + 1), tokenizer)
    parameters = sum(weight.numel() for weight in network.parameters())
    print(f"{parameters} parameters, {len(tokenizer.tokens)} tokens", flush=True)

    def report(line):
        print(json.dumps(line), flush=True)
        if chosen.log:
            with chosen.log.open("a") as log:
                log.write(json.dumps(line) + "\n")

    def save():
        export(chosen.out, network, tokenizer)

    train(network, iter(batches), chosen.steps, report, save)
    save()


if __name__ == "__main__":
    main()
