"""The trained network and its tokenizer as one GGUF file."""

from chat_format import TEMPLATE
from gguf_file import write_gguf
from tokenizer import CONTROL_TOKENS, PRE_TOKENIZER

MOSTLY_Q8_0 = 7
NORMAL, CONTROL = 1, 3


def metadata_of(shape, tokenizer):
    return {
        "general.architecture": "llama",
        "general.name": "Pip",
        "general.description": "The built-in model of gguf-chat: help with the tag, small talk, simple facts.",
        "general.license": "MIT",
        "general.file_type": MOSTLY_Q8_0,
        "llama.block_count": shape.layers,
        "llama.context_length": shape.context,
        "llama.embedding_length": shape.embedding,
        "llama.feed_forward_length": shape.feed_forward,
        "llama.attention.head_count": shape.heads,
        "llama.attention.head_count_kv": shape.heads_kv,
        "llama.attention.layer_norm_rms_epsilon": shape.norm_epsilon,
        "llama.rope.dimension_count": shape.head,
        "llama.rope.freq_base": shape.rope_base,
        "llama.vocab_size": shape.vocabulary,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": PRE_TOKENIZER,
        "tokenizer.ggml.tokens": tokenizer.tokens,
        "tokenizer.ggml.token_type": [CONTROL] * len(CONTROL_TOKENS)
        + [NORMAL] * (len(tokenizer.tokens) - len(CONTROL_TOKENS)),
        "tokenizer.ggml.merges": [" ".join(pair) for pair in tokenizer.merges],
        "tokenizer.ggml.bos_token_id": tokenizer.control("<|endoftext|>"),
        "tokenizer.ggml.eos_token_id": tokenizer.control("<|end|>"),
        "tokenizer.ggml.padding_token_id": tokenizer.control("<|endoftext|>"),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }


def export(path, network, tokenizer):
    tensors = {name: weight.float().numpy() for name, weight in network.state_dict().items()}
    write_gguf(path, metadata_of(network.shape, tokenizer), tensors)
