"""A contestant: the paper's network in plain PyTorch, trial after trial, as one would write it first.

``nn.Module``, default memory layout, ``DataLoader`` over a shuffled ``TensorDataset``, one autograd pass per batch,
AdamW, torch's default threads. SSIM is PulsarCAM's, a product of matrices: a convolution with one channel, as most
toolkits do it, would make this contestant slower. See :mod:`trial_data` for how it is asked.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from trial_data import Trial, Trials, serve

from PulsarCAMLib.systems.autoencoder.learning.losses import ssim

BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 5e-4, 1e-4


class PlainNet(nn.Module):
    """Encoder, mask, decoder and classifier; its layers are named as PulsarCAM's."""

    def __init__(self, filters: int = 16, maps: int = 5, units: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.encode_1 = nn.Conv2d(1, filters, 3, padding=1)
        self.encode_2 = nn.Conv2d(filters, maps, 3, padding=1)
        self.decode_1 = nn.Conv2d(maps, filters, 3, padding=1)
        self.decode_2 = nn.Conv2d(filters, 1, 3, padding=1)
        self.dense = nn.Linear(maps * 16 * 16, units)
        self.norm = nn.BatchNorm1d(units, eps=1e-3, momentum=0.01)
        self.dropout = nn.Dropout(dropout)
        self.logit = nn.Linear(units, 1)
        for layer in self.children():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits, reconstruction, features and the mask on their grid."""
        hidden = functional.max_pool2d(functional.relu(self.encode_1(images)), 2)
        features = functional.max_pool2d(functional.relu(self.encode_2(hidden)), 2)
        cells = functional.max_pool2d(masks, 4)
        masked = features * cells
        hidden = functional.relu(self.decode_1(functional.interpolate(masked, scale_factor=2)))
        reconstruction = torch.sigmoid(self.decode_2(functional.interpolate(hidden, scale_factor=2)))
        hidden = self.dropout(self.norm(functional.relu(self.dense(masked.flatten(1)))))
        return self.logit(hidden).squeeze(1), reconstruction, features, cells


def plain_loss(model: PlainNet, images: Tensor, masks: Tensor, labels: Tensor) -> Tensor:
    """The paper's joint loss of one batch."""
    logits, reconstruction, features, cells = model(images, masks)
    return (
        0.6 * functional.binary_cross_entropy(reconstruction, images)
        + 0.2 * (1 - ssim(reconstruction, images))
        + 0.2 * (features * (1 - cells)).square().mean()
        + functional.binary_cross_entropy_with_logits(logits, labels)
    )


def train(trial: Trial, epochs: int) -> PlainNet:
    """One training from its own seed."""
    torch.manual_seed(trial.seed)
    model = PlainNet()
    tensors = (torch.from_numpy(trial.images), torch.from_numpy(trial.masks).float(), torch.from_numpy(trial.labels))
    loader = DataLoader(TensorDataset(*tensors), BATCH, shuffle=True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    model.train()
    for _ in range(epochs):
        for images, masks, labels in loader:
            optimiser.zero_grad()
            plain_loss(model, images, masks, labels).backward()
            optimiser.step()
    return model


@torch.no_grad()
def probabilities(model: PlainNet, trial: Trial) -> list[list[float]]:
    """Of response, one list for each MRI that is asked about."""
    model.eval()
    found = []
    for images, masks in trial.asked:
        logits = model(torch.from_numpy(images), torch.from_numpy(masks).float())[0]
        found.append(torch.sigmoid(logits.double()).tolist())
    return found


def main(folder: str) -> None:
    """Serve the trials of a folder."""

    def do(command: dict) -> list:
        trials = Trials(Path(folder))
        chosen = [trials[number] for number in command["trials"]]
        return [probabilities(train(trial, command["epochs"]), trial) for trial in chosen]

    serve(do, {"torch": torch.__version__, "threads": torch.get_num_threads()})


if __name__ == "__main__":
    main(sys.argv[1])
