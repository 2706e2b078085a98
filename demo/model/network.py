"""The network, as GGUF's `llama` architecture means it: RMS norm, rotary positions of neighbouring pairs, grouped heads, SwiGLU."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 4096
    embedding: int = 256
    layers: int = 4
    heads: int = 4
    heads_kv: int = 2
    feed_forward: int = 704
    context: int = 2048
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5

    @property
    def head(self):
        return self.embedding // self.heads


class RmsNorm(nn.Module):
    def __init__(self, length, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(length))
        self.epsilon = epsilon

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        kv = shape.heads_kv * shape.head
        self.attn_norm = RmsNorm(shape.embedding, shape.norm_epsilon)
        self.attn_q = nn.Linear(shape.embedding, shape.embedding, bias=False)
        self.attn_k = nn.Linear(shape.embedding, kv, bias=False)
        self.attn_v = nn.Linear(shape.embedding, kv, bias=False)
        self.attn_output = nn.Linear(shape.embedding, shape.embedding, bias=False)
        self.ffn_norm = RmsNorm(shape.embedding, shape.norm_epsilon)
        self.ffn_gate = nn.Linear(shape.embedding, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.embedding, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.embedding, bias=False)

    def forward(self, x, cos, sin, mask):
        h = self.attn_norm(x)
        x = x + self.attn_output(self._attention(self.attn_q(h), self.attn_k(h), self.attn_v(h), cos, sin, mask))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))

    def _attention(self, q, k, v, cos, sin, mask):
        """q (batch, length, heads × head), k and v (batch, length, headsKv × head)"""
        batch, length, _ = q.shape
        shape = self.shape
        groups = shape.heads // shape.heads_kv
        q = rotate(q.view(batch, length, shape.heads, shape.head), cos, sin)
        k = rotate(k.view(batch, length, shape.heads_kv, shape.head), cos, sin)
        v = v.view(batch, length, shape.heads_kv, shape.head)
        k = k.repeat_interleave(groups, dim=2).permute(0, 2, 3, 1)
        v = v.repeat_interleave(groups, dim=2).transpose(1, 2)
        scores = (q.transpose(1, 2) @ k).float() * shape.head**-0.5 + mask
        mixed = scores.softmax(-1).to(v.dtype) @ v
        return mixed.transpose(1, 2).reshape(batch, length, shape.embedding)


def rotate(x, cos, sin):
    """Rotates pairs (2i, 2i + 1) of every head; cos and sin (length, 1, head / 2)."""
    even, odd = x[..., 0::2].float(), x[..., 1::2].float()
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).to(x.dtype)


class Network(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.embedding)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RmsNorm(shape.embedding, shape.norm_epsilon)
        frequencies = shape.rope_base ** -(torch.arange(0, shape.head, 2) / shape.head)
        angles = torch.outer(torch.arange(shape.context), frequencies)[:, None]
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self._initialise()

    def _initialise(self):
        """As GPT-2 begins: what a layer adds is no larger than what an embedding is."""
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                adds = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weight, std=0.02 * ((2 * self.shape.layers) ** -0.5 if adds else 1))

    def forward(self, ids):
        """ids (batch, length) → final hidden states (batch, length, embedding)"""
        length = ids.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.cos[:length], self.sin[:length], mask)
        return self.output_norm(x)

    def logits(self, hidden):
        """The embedding is the output matrix, too."""
        return F.linear(hidden, self.token_embd.weight)
