"""Muon for the matrices of the layers, AdamW for the rest.

Muon (K. Jordan and others, 2024) moves a matrix by its momentum made orthogonal: rare directions move as far as common
ones, which teaches a small network in a third of the tokens. Scaled as J. Liu and others do (2025), so that an element
moves about as far as with AdamW.
"""

import torch

MOMENTUM = 0.95
ADAM_LIKE = 0.2  # root mean square of an update of AdamW, in learning rates
# Of x ← a x + b (x xᵀ) x + c (x xᵀ)² x, step by step; singular values from 0.003 to 1 end between 0.8 and 1.2.
NEWTON_SCHULZ = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


def orthogonal(x):
    """x (count, rows, columns), rows ≤ columns: with about the same singular vectors and singular values of about 1."""
    x = x.to(torch.bfloat16)
    x = x / x.float().flatten(1).norm(dim=1).clamp_min(1e-7).to(x.dtype)[:, None, None]
    for a, b, c in NEWTON_SCHULZ:
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.float()


class Muon(torch.optim.Optimizer):
    def __init__(self, groups):
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_size = {}
            for weight in group["params"]:
                by_size.setdefault(tuple(sorted(weight.shape)), []).append(weight)
            for size, weights in by_size.items():
                self._move(weights, group["lr"], group["weight_decay"], ADAM_LIKE * size[1] ** 0.5)

    def _move(self, weights, rate, decay, scale):
        """Weights of equal size, lying or standing, together: one product instead of several."""
        moves = orthogonal(torch.stack([lying(self._momentum(weight)) for weight in weights]))
        for weight, move in zip(weights, moves):
            weight.mul_(1 - rate * decay).sub_(move.t() if is_standing(weight) else move, alpha=rate * scale)

    def _momentum(self, weight):
        momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
        momentum.lerp_(weight.grad, 1 - MOMENTUM)
        return weight.grad.lerp(momentum, MOMENTUM)


def is_standing(matrix):
    return matrix.shape[0] > matrix.shape[1]


def lying(matrix):
    return matrix.t() if is_standing(matrix) else matrix
