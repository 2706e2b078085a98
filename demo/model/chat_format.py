"""How a dialogue becomes tokens, and the same as a template in the file."""

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def encode_dialogue(messages, tokenizer):
    """IDs, and for each whether it belongs to an answer (its end included): what the model learns to write."""
    ids, answers = [], []
    end = tokenizer.control("<|end|>")
    for message in messages:
        content = [*tokenizer.encode(message["content"]), end]
        ids += [tokenizer.control(f"<|{message['role']}|>"), *content]
        answers += [False, *[message["role"] == "assistant"] * len(content)]
    return ids, answers
