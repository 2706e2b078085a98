"""Trains Pip, the built-in model, from nothing but the topic files, and writes it as a GGUF file.

    python3 train.py --out pip.gguf [--steps 12500] [--seed 1]
    python3 train.py --out pip.gguf --from earlier.gguf --rate 0.5 --steps 6000 --seed 3      goes on with a file

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy and, for speed, libopenblas0-pthread).
"""

import argparse
import ctypes
import json
import os
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from chat_format import encode_dialogue
from dialogues import Composer
from export import export
from gguf_file import Reader
from network import Network, Shape
from optimizer import Muon
from tokenizer import Tokenizer

POOL = 4096  # dialogues that are sorted by length before they are cut into batches
BATCH_TOKENS = 3840
# Of one row, in tokens: divisors of a batch.
LENGTHS = (24, 32, 40, 48, 60, 64, 80, 96, 120, 128, 160, 192, 240, 320, 384, 480, 640, 768, 960, 1280, 1920)
LEARNT_TOKENS = 1920  # of a batch: those of answers, and as many others as have room
# What an answer is about shows in its first words; the rest is soon known by heart. So most dialogues end there, and
# more questions fit into the same time.
CUT_SHARE = 0.85
CUT_AFTER = (4, 12)  # tokens of the last answer
PADDING, QUESTION, ANSWER = -1, 0, 1
QUESTION_WEIGHT = 0.25  # what a token of a question counts beside one of an answer
# Many answers begin alike ("Set the ..."). So the hidden state before an answer must also tell the answer's subject, by
# a matrix that is thrown away afterwards.
SUBJECT_WEIGHT = 0.2
NO_SUBJECT = -1
RATE = 0.004
EMBEDDING_RATE = 0.01
SUBJECT_RATE = 0.0025
DECAY = 0.3  # of the matrices
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

    Each is ids (count, length) int64, kinds (count, length) int8 of tokens, and subjects (count, length) int64.

    oneDNN prepares a program for every new shape, which costs more than running it: so there are few shapes.
    """

    def __init__(self, composer, tokenizer):
        self.composer, self.tokenizer = composer, tokenizer
        self.subjects = {None: NO_SUBJECT} | {subject: id for id, subject in enumerate(composer.subjects)}

    def __iter__(self):
        while True:
            pool = sorted((self._encoded() for _ in range(POOL)), key=lambda encoded: len(encoded.ids), reverse=True)
            batches = []
            while pool:
                length = min(length for length in LENGTHS if length >= min(len(pool[0].ids), LENGTHS[-1]))
                count = BATCH_TOKENS // length
                batches.append(self._padded(pool[:count], count, length))
                del pool[:count]
            self.composer.random.shuffle(batches)
            yield from batches

    def _encoded(self):
        encoded = encode_dialogue(self.composer.dialogue(), self.tokenizer)
        draw = self.composer.random
        if draw.random() < CUT_SHARE:
            start = len(encoded.answers) - encoded.answers[::-1].index(False)  # of the last answer
            return encoded.cut(start + draw.randint(*CUT_AFTER))
        return encoded

    def _padded(self, dialogues, count, length):
        """What is too long is cut off."""
        ids = torch.zeros(count, length, dtype=torch.int64)
        kinds = torch.full((count, length), PADDING, dtype=torch.int8)
        subjects = torch.full((count, length), NO_SUBJECT)
        for row, encoded in enumerate(dialogues):
            used = min(len(encoded.ids), length)
            ids[row, :used] = torch.tensor(encoded.ids[:used])
            kinds[row, :used] = torch.tensor(encoded.answers[:used], dtype=torch.int8)
            subjects[row, :used] = torch.tensor([self.subjects[subject] for subject in encoded.subjects[:used]])
        return ids, kinds, subjects


def losses(network, subject_of, ids, kinds, subjects):
    """What is minimised, and the mean loss of the tokens of answers."""
    hidden = network(ids).flatten(0, 1)  # of the last position, nothing is learnt
    targets, kinds = ids.roll(-1, 1).flatten(), kinds.roll(-1, 1)
    kinds[:, -1] = PADDING
    kinds = kinds.flatten()
    # Answers first, then a random part of the questions: always as many positions, see Batches.
    order = torch.where(kinds == ANSWER, 2.0, torch.rand(kinds.shape) * (kinds == QUESTION))
    chosen = order.topk(LEARNT_TOKENS).indices
    targets, kinds = targets[chosen], kinds[chosen]
    each = F.cross_entropy(network.logits(hidden[chosen]).float(), targets, reduction="none")
    weights = (kinds == ANSWER) + QUESTION_WEIGHT * (kinds == QUESTION)
    loss = (each * weights).sum() / weights.sum()
    begins = subjects.flatten() != NO_SUBJECT
    loss = loss + SUBJECT_WEIGHT * F.cross_entropy(subject_of(hidden[begins].float()), subjects.flatten()[begins])
    return loss, each.detach()[kinds == ANSWER].mean().item()


def optimizers_for(network, subject_of):
    """Groups have their `rate`, of which the schedule gives a share."""
    embedding = network.token_embd.weight
    matrices = [weight for weight in network.parameters() if weight is not embedding]
    muon = Muon([{"params": matrices, "weight_decay": DECAY, "rate": RATE}])
    rest = [
        {"params": [embedding], "weight_decay": 0.0, "rate": EMBEDDING_RATE},
        {"params": [subject_of.weight], "weight_decay": 0.1, "rate": SUBJECT_RATE},
    ]
    return [muon, torch.optim.AdamW(rest, betas=(0.9, 0.95), foreach=True)]


def train(network, batches, steps, rate, report, checkpoint):
    """`rate`: the share of the rates above that it begins with."""
    subject_of = nn.Linear(network.shape.embedding, len(batches.subjects) - 1, bias=False)
    optimizers = optimizers_for(network, subject_of)
    start, tokens, running = time.monotonic(), 0, None
    for step, (ids, kinds, subjects) in zip(range(steps), batches):
        share = step / steps
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = rate * group["rate"] * min((step + 1) / (WARM_UP * steps + 1), (1 - share) / (1 - WARM_UP))
        tokens += int((kinds != PADDING).sum())
        loss, answer_loss = losses(network, subject_of, ids, kinds, subjects)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
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


def start_from(path, network):
    """Gives the network the weights of an earlier file, and returns its tokenizer."""
    file = Reader(path)
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in file.tensors.items()})
    return Tokenizer([tuple(merge.split(" ")) for merge in file.metadata["tokenizer.ggml.merges"]])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--steps", type=int, default=12500)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--from", dest="start", type=Path, help="a file to go on with: its tokens and weights")
    options.add_argument("--rate", type=float, default=1.0, help="share of the rates")
    options.add_argument("--tokenizer-dialogues", type=int, default=54000, help="how many the tokens are learnt from")
    options.add_argument("--log", type=Path, help="where a line of JSON is added every 50 steps")
    chosen = options.parse_args()
    keep_memory()
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(chosen.seed)
    shape = Shape()
    network = Network(shape)
    if chosen.start:
        tokenizer = start_from(chosen.start, network)
    else:
        tokenizer = learn_tokens(chosen.seed, shape.vocabulary, chosen.tokenizer_dialogues)
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

    train(network, batches, chosen.steps, chosen.rate, report, save)
    save()


if __name__ == "__main__":
    main()
