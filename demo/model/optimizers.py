"""Muon (Jordan et al., 2024) for the matrices of the layers, AdamW for the rest."""

import torch

# Coefficients of the quintic iteration by Jordan: singular values end between about 0.7 and 1.2.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


def orthogonalised(matrices):
    """Replaces the singular values of each matrix (count, rows, columns) by about 1."""
    a, b, c = QUINTIC
    x = matrices.bfloat16()
    wide = x.shape[1] > x.shape[2]
    if wide:
        x = x.transpose(1, 2)
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).bfloat16()
    for _ in range(ROUNDS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return x.transpose(1, 2) if wide else x


class Muon(torch.optim.Optimizer):
    """Matrices of the same shape are stepped together."""

    def __init__(self, matrices, rate, momentum=0.95, decay=0.01):
        super().__init__(list(matrices), {"lr": rate, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for matrix in group["params"]:
                by_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in by_shape.items():
                self._step_together(shape, matrices, group)

    def _step_together(self, shape, matrices, group):
        updates = []
        for matrix in matrices:
            velocity = self.state[matrix].setdefault("velocity", torch.zeros_like(matrix))
            velocity.lerp_(matrix.grad, 1 - group["momentum"])
            updates.append(matrix.grad.lerp(velocity, group["momentum"]))
        scale = max(1, shape[0] / shape[1]) ** 0.5
        for matrix, update in zip(matrices, orthogonalised(torch.stack(updates))):
            matrix.mul_(1 - group["lr"] * group["decay"])
            matrix.add_(update.float(), alpha=-group["lr"] * scale)


def optimizers_for(network, muon_rate=0.02, adam_rate=0.004):
    matrices = [weight for name, weight in network.named_parameters() if name.startswith("blk.") and weight.ndim == 2]
    rest = [weight for name, weight in network.named_parameters() if not (name.startswith("blk.") and weight.ndim == 2)]
    return [Muon(matrices, muon_rate), torch.optim.AdamW(rest, lr=adam_rate, betas=(0.9, 0.95), weight_decay=0.0)]
