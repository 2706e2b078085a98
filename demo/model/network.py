"""The network, as GGUF's `llama` architecture means it: RMS norm, rotary positions of neighbouring pairs, grouped heads, SwiGLU.

Products are of bfloat16, sums and what lies between them of float32. What autograd would do in many small steps has its
own derivative here: that is a fifth of the time.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

HALF = torch.bfloat16


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


class Normalise(torch.autograd.Function):
    """x (..., length) float32 → bfloat16 with a mean square of 1."""

    @staticmethod
    def forward(context, x, epsilon):
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
        inverse = mean_square.add_(epsilon).rsqrt_()
        y = x * inverse
        context.save_for_backward(y, inverse)
        return y.to(HALF)

    @staticmethod
    def backward(context, dy):
        y, inverse = context.saved_tensors
        dy = dy.float()
        return torch.addcmul(dy, y, (dy * y).mean(-1, keepdim=True), value=-1).mul_(inverse), None


class SwiGlu(torch.autograd.Function):
    """(..., [gate, up]) bfloat16 → silu(gate) × up"""

    @staticmethod
    def forward(context, gate_up):
        gate, up = gate_up.chunk(2, -1)
        gate = gate.float()
        sigmoid = gate.sigmoid()
        silu = gate.mul_(sigmoid)
        context.save_for_backward(silu, sigmoid, gate_up)
        return (silu * up).to(HALF)

    @staticmethod
    def backward(context, d):
        silu, sigmoid, gate_up = context.saved_tensors
        d = d.float()
        result = torch.empty_like(gate_up)
        d_gate, d_up = result.chunk(2, -1)
        d_up.copy_(d * silu)
        slope = torch.addcmul(sigmoid + silu, silu, sigmoid, value=-1)
        d_gate.copy_(slope.mul_(d).mul_(gate_up.chunk(2, -1)[1]))
        return result


class Softmax(torch.autograd.Function):
    """softmax(scores + mask) over the last dimension, bfloat16 → bfloat16"""

    @staticmethod
    def forward(context, scores, mask):
        shares = scores.float().add_(mask).softmax(-1).to(HALF)
        context.save_for_backward(shares)
        return shares

    @staticmethod
    def backward(context, d):
        shares = context.saved_tensors[0].float()
        product = d.float() * shares
        return torch.addcmul(product, shares, product.sum(-1, keepdim=True), value=-1).to(HALF), None


class RmsNorm(nn.Module):
    """With weights of 1: the matrix that follows can hold any others."""

    def __init__(self, length, epsilon):
        super().__init__()
        self.register_buffer("weight", torch.ones(length))
        self.epsilon = epsilon

    def forward(self, x):
        return Normalise.apply(x, self.epsilon)


def joined(*layers):
    """One matrix of several: one large product takes less time than some smaller ones."""
    return torch.cat([layer.weight for layer in layers]).to(HALF)


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

    def forward(self, x, turns, mask):
        """x (batch, length, embedding) float32; turns see Network; mask (length, length), 0 or -inf"""
        qkv = F.linear(self.attn_norm(x), joined(self.attn_q, self.attn_k, self.attn_v))
        x = x + F.linear(self._attention(qkv, turns, mask), self.attn_output.weight.to(HALF))
        gate_up = F.linear(self.ffn_norm(x), joined(self.ffn_gate, self.ffn_up))
        return x + F.linear(SwiGlu.apply(gate_up), self.ffn_down.weight.to(HALF))

    def _attention(self, qkv, turns, mask):
        """qkv (batch, length, (heads + 2 × headsKv) × head) → (batch, length, embedding)"""
        batch, length, _ = qkv.shape
        shape = self.shape
        kv, groups, head = shape.heads_kv, shape.heads // shape.heads_kv, shape.head
        qk, v = qkv.split([shape.embedding + kv * head, kv * head], dim=-1)
        qk = rotated(qk.view(batch, length, shape.heads + kv, head), turns)
        q, k = qk.split([shape.heads, kv], dim=2)
        q = q.view(batch, length, kv, groups, head).permute(0, 2, 3, 1, 4).reshape(batch * kv, groups * length, head)
        k = k.permute(0, 2, 3, 1).reshape(batch * kv, head, length)
        v = v.view(batch, length, kv, head).transpose(1, 2).reshape(batch * kv, length, head)
        scores = torch.bmm(q * head**-0.5, k).view(batch * kv, groups, length, length)
        mixed = torch.bmm(Softmax.apply(scores, mask).view(batch * kv, groups * length, length), v)
        return mixed.view(batch, kv, groups, length, head).permute(0, 3, 1, 2, 4).reshape(batch, length, -1)


def rotated(x, turns):
    """x (batch, length, heads, head): every pair (2i, 2i + 1) of a head as a complex number, times its turn."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(-2).to(x.dtype)


class Network(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.embedding)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RmsNorm(shape.embedding, shape.norm_epsilon)
        frequencies = shape.rope_base ** -(torch.arange(0, shape.head, 2) / shape.head)
        angles = torch.outer(torch.arange(shape.context), frequencies)[:, None]
        # (context, 1, head / 2) complex
        self.register_buffer("turns", torch.polar(torch.ones_like(angles), angles), persistent=False)
        self._initialise()

    def _initialise(self):
        """Large embeddings, small additions of the layers: so all layers see the tokens, which they must copy at times."""
        for name, weight in self.named_parameters():
            adds = name.endswith(("attn_output.weight", "ffn_down.weight"))
            nn.init.normal_(weight, std=0.04 * ((2 * self.shape.layers) ** -0.5 if adds else 1))
        nn.init.normal_(self.token_embd.weight, std=0.5)
        nn.init.constant_(self.output_norm.weight, 0.1)  # the embeddings are the output matrix, too

    def forward(self, ids):
        """ids (batch, length) → final hidden states (batch, length, embedding), not yet times output_norm's weights"""
        length = ids.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.turns[:length], mask)
        return self.output_norm(x)

    def logits(self, hidden):
        return F.linear(hidden, (self.token_embd.weight * self.output_norm.weight).to(HALF))
