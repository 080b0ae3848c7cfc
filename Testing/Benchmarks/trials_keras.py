"""A contestant: the paper's network in Keras on TensorFlow, trial after trial, as the paper's code most likely was.

Functional model, two outputs and a penalty added by a layer, ``compile`` and ``fit`` with a batch of 64, AdamW, SSIM by
``tf.image.ssim``, TensorFlow's default threads. It runs in an environment of its own (``.venv-keras``) without
PulsarCAM; see :mod:`trial_data` for how it is asked.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from trial_data import Trial, Trials, serve

BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 5e-4, 1e-4


class MaskedFeatures(layers.Layer):
    """P * M, and 0.2 mean((P (1 - M))^2) for the loss."""

    def call(self, inputs):
        """Of features and mask on their grid."""
        features, cells = inputs
        self.add_loss(0.2 * tf.reduce_mean(tf.square(features * (1 - cells))))
        return features * cells


def image_loss(images, made):
    """0.6 BCE + 0.2 (1 - SSIM)."""
    similarity = tf.reduce_mean(tf.image.ssim(images, made, max_val=1.0))
    return 0.6 * tf.reduce_mean(keras.losses.binary_crossentropy(images, made)) + 0.2 * (1 - similarity)


def build(dropout: float = 0.1, jit_compile: str | bool = "auto") -> keras.Model:
    """The compiled model; Keras's own initial weights are the paper's reading."""
    images, masks = layers.Input((64, 64, 1)), layers.Input((64, 64, 1))
    hidden = layers.Conv2D(16, 3, padding="same", activation="relu", name="encode_1")(images)
    hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Conv2D(5, 3, padding="same", activation="relu", name="encode_2")(hidden)
    masked = MaskedFeatures()([layers.MaxPooling2D(2)(hidden), layers.MaxPooling2D(4)(masks)])
    hidden = layers.UpSampling2D(2)(masked)
    hidden = layers.Conv2D(16, 3, padding="same", activation="relu", name="decode_1")(hidden)
    hidden = layers.UpSampling2D(2)(hidden)
    made = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="decode_2")(hidden)
    hidden = layers.Dense(32, activation="relu", name="dense")(layers.Flatten()(masked))
    hidden = layers.Dropout(dropout)(layers.BatchNormalization(name="norm")(hidden))
    response = layers.Dense(1, activation="sigmoid", name="logit")(hidden)
    model = keras.Model([images, masks], [made, response])
    optimiser = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY, epsilon=1e-8)
    model.compile(optimiser, loss=[image_loss, "binary_crossentropy"], jit_compile=jit_compile)
    return model


def channels_last(*arrays: np.ndarray) -> list[np.ndarray]:
    """Float32 ``[N, s, s, 1]`` of ``[N, 1, s, s]``."""
    return [array.astype(np.float32).transpose(0, 2, 3, 1) for array in arrays]


def train(trial: Trial, epochs: int, jit_compile: str | bool) -> keras.Model:
    """One training from its own seed."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    model = build(jit_compile=jit_compile)
    images, masks = channels_last(trial.images, trial.masks)
    model.fit([images, masks], [images, trial.labels[:, None]], batch_size=BATCH, epochs=epochs, verbose=0)
    return model


def probabilities(model: keras.Model, trial: Trial) -> list[list[float]]:
    """Of response, one list for each MRI that is asked about."""
    return [model.predict(channels_last(*pair), verbose=0)[1][:, 0].tolist() for pair in trial.asked]


def take_weights(model: keras.Model, state: dict[str, np.ndarray]) -> None:
    """PyTorch's weights; the dense layer's are put into Keras's order of row, column, map."""
    for name in ("encode_1", "encode_2", "decode_1", "decode_2"):
        model.get_layer(name).set_weights([state[f"{name}.weight"].transpose(2, 3, 1, 0), state[f"{name}.bias"]])
    dense = state["dense.weight"].reshape(32, 5, 16, 16).transpose(2, 3, 1, 0).reshape(1280, 32)
    model.get_layer("dense").set_weights([dense, state["dense.bias"]])
    model.get_layer("norm").set_weights([state[f"norm.{n}"] for n in ("weight", "bias", "running_mean", "running_var")])
    model.get_layer("logit").set_weights([state["logit.weight"].T, state["logit.bias"]])


def main(folder: str) -> None:
    """Serve the trials of a folder."""

    def do(command: dict) -> list:
        trials = Trials(Path(folder))
        chosen = [trials[number] for number in command["trials"]]
        jit = command.get("jit_compile", "auto")
        return [probabilities(train(trial, command["epochs"], jit), trial) for trial in chosen]

    serve(do, {"tensorflow": tf.__version__, "keras": keras.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
