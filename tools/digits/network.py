"""The acoustic model: DeepSpeech's network, small, and the features it hears.

Three dense layers over a window of 19 feature vectors, an LSTM, one dense layer more, and the
probabilities of the letters (Hannun et al. 2014, arXiv:1412.5567, as Coqui STT has it).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from coqui_server.media.samples import SAMPLE_RATE
from tools.digits import ALPHABET, COEFFICIENTS, CONTEXT, STEP, WINDOW

CHANNELS, LOWEST, HIGHEST = 40, 20.0, 8000.0
"""Mel channels and their limits in hertz, Coqui STT's defaults."""

CLIP = 6.0
"""What a dense layer's output is held to; TensorFlow Lite has an activation with just this one."""


def bank(warp: Tensor) -> Tensor:
    """Triangular mel filters, [len(warp), bins, channels], as TensorFlow's Mfcc op has them.

    Args:
        warp: for each filter bank a factor on all frequencies, which makes a longer or shorter
            throat of the speaker's; 1 changes nothing.
    """
    hertz = torch.arange(WINDOW // 2 + 1) * (SAMPLE_RATE / WINDOW)
    inside = (hertz >= LOWEST) & (hertz <= HIGHEST)
    low, high = (1127 * np.log1p(limit / 700) for limit in (LOWEST, HIGHEST))
    spacing = (high - low) / (CHANNELS + 1)
    mel = 1127 * torch.log1p(hertz[None, :] * warp[:, None] / 700)
    place = (mel[..., None] - low) / spacing - torch.arange(1, CHANNELS + 1)
    return (1 - place.abs()).clamp(min=0) * inside[None, :, None]


def mfccs(waves: Tensor, warp: Tensor, colour: Tensor) -> Tensor:
    """Feature vectors of each wave, [waves, vectors, coefficients], not normalised.

    Args:
        waves: [waves, samples], within -1 to 1.
        warp: see `bank`, one for each wave.
        colour: a gain on each mel channel, [waves, channels], as a logarithm.
    """
    windows = waves.unfold(1, WINDOW, STEP) * torch.hann_window(WINDOW)
    mels = torch.log((torch.fft.rfft(windows).abs() @ bank(warp)).clamp(min=1e-12))
    order = torch.arange(COEFFICIENTS)[:, None] * (torch.arange(CHANNELS)[None, :] + 0.5)
    cosines = torch.cos(np.pi / CHANNELS * order) * np.sqrt(2 / CHANNELS)
    return (mels + colour[:, None]) @ cosines.T


class Network(nn.Module):
    """Normalised feature vectors to the log probabilities of letters."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear((2 * CONTEXT + 1) * COEFFICIENTS, width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.fifth = nn.Linear(width, width)
        self.sixth = nn.Linear(width, len(ALPHABET) + 1)
        self.dropout = nn.Dropout(0.1)
        for layer in (self.first, self.second, self.third, self.fifth):
            # As loud after each layer as before it (He et al. 2015, arXiv:1502.01852).
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        # The gate that forgets starts open: what is far back is learned sooner.
        nn.init.constant_(self.lstm.bias_ih_l0[width : 2 * width], 1.0)
        self.register_buffer("mean", torch.zeros(COEFFICIENTS))
        self.register_buffer("scale", torch.ones(COEFFICIENTS))

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """[waves, vectors, coefficients] to [waves, vectors, letters and blank].

        Beyond a wave's length the vectors are zeros, as Coqui STT has them around the sound.
        """
        inside = torch.arange(features.shape[1])[None, :] < lengths[:, None]
        features = (features - self.mean) * self.scale * inside[..., None]
        if self.training:
            features = features + 0.1 * torch.randn_like(features)
        padded = nn.functional.pad(features, (0, 0, CONTEXT, CONTEXT))
        seen = padded.unfold(1, 2 * CONTEXT + 1, 1).transpose(2, 3).flatten(2)
        for layer in (self.first, self.second, self.third):
            seen = self.dropout(layer(seen).clamp(0, CLIP))
        seen = self.dropout(self.fifth(self.lstm(seen)[0]).clamp(0, CLIP))
        return torch.log_softmax(self.sixth(seen), -1)


def weights(network: Network) -> dict[str, npt.NDArray[np.float32]]:
    """All parameters by name."""
    return {name: value.numpy() for name, value in network.state_dict().items()}
