"""How a dialogue becomes tokens, and the same as a template in the file."""

from dataclasses import dataclass

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@dataclass
class Encoded:
    """A dialogue as tokens: lists of equal length."""

    ids: list
    answers: list  # whether a token belongs to an answer (its end included): what the model learns to write
    subjects: list  # of the answer that begins after a token; None elsewhere

    def cut(self, end):
        return Encoded(self.ids[:end], self.answers[:end], self.subjects[:end])


def encode_dialogue(messages, tokenizer):
    encoded = Encoded([], [], [])
    end = tokenizer.control("<|end|>")
    for message in messages:
        content = [*tokenizer.encode(message["content"]), end]
        encoded.ids += [tokenizer.control(f"<|{message['role']}|>"), *content]
        encoded.answers += [False, *[message["role"] == "assistant"] * len(content)]
        encoded.subjects += [message.get("subject"), *[None] * len(content)]
    return encoded
