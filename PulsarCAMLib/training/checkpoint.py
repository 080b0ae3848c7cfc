"""An engine's whole state as one safetensors file: nothing in it can run, and it is there whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.errors import InputError
from ..io.atomic import write_durably
from .engine import Engine

FORMAT, FORMAT_VERSION = "PulsarCAM checkpoint", 1
_KEY = "pulsarcam"


def save_checkpoint(path: Path, engine: Engine, identity: str) -> None:
    """Write everything that decides how the training goes on.

    Args:
        path: of the file, replaced if it is there.
        engine: at the end of an epoch.
        identity: hash of settings and data, asked for when it is read.
    """
    import safetensors.torch

    tensors = {f"model.{name}": value for name, value in engine.model.state_dict().items()}
    for number, values in engine.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in values.items()}
    tensors |= {"random.torch": torch.get_rng_state(), "random.order": engine.order.get_state()}
    if engine.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    state: dict[str, Any] = {"format": FORMAT, "format_version": FORMAT_VERSION, "identity": identity}
    state |= {"device": engine.device.type, "epoch": engine.epoch, "history": engine.history, "best": None}
    if engine.best:
        state["best"] = list(engine.best[:2])
        tensors |= {f"best.{name}": value for name, value in engine.best[2].items()}
    state["schedule"], kept = engine.schedule.state()
    tensors |= {f"schedule.{name}": value for name, value in kept.items()}
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_durably(path, safetensors.torch.save(plain, {_KEY: json.dumps(state)}))


def load_checkpoint(path: Path, engine: Engine, identity: str) -> None:
    """Bring a new engine to the state that was saved.

    Raises:
        InputError: the file is damaged, or of another training.
    """
    state, tensors = _read(path)
    if state.get("identity") != identity or state.get("device") != engine.device.type:
        raise InputError(
            f"The training in {path.parent} was begun with other settings, other data or on another kind of processor; "
            "continue it with the same ones, or start in another folder."
        )
    try:
        _restore(engine, state, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise _damaged(path) from error


def _restore(engine: Engine, state: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    engine.epoch, engine.history = int(state["epoch"]), [dict(row) for row in state["history"]]
    engine.model.load_state_dict(_part(tensors, "model."))
    engine.begin(engine.settings.phase_of(engine.epoch))
    _restore_optimiser(engine.optimiser, _part(tensors, "optimiser."))
    if state["best"]:
        best = {name: value.to(engine.device) for name, value in _part(tensors, "best.").items()}
        engine.best = (int(state["best"][0]), float(state["best"][1]), best)
    if "schedule" in state:  # files of earlier versions were of constant rates
        kept = {name: value.to(engine.device) for name, value in _part(tensors, "schedule.").items()}
        engine.schedule.restore(state["schedule"], kept)
    engine.order.set_state(tensors["random.order"])
    torch.set_rng_state(tensors["random.torch"])
    if engine.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random.cuda"])


def _restore_optimiser(optimiser: torch.optim.Optimizer, saved: dict[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in saved.items():
        number, name = key.split(".", 1)
        like = parameters[int(number)]
        if value.shape == like.shape:  # in the parameter's own memory layout, for the same sums in the same order
            value = torch.empty_like(like, memory_format=torch.preserve_format).detach().copy_(value)
        states.setdefault(int(number), {})[name] = value
    if len(states) != len(parameters):
        raise ValueError("the optimiser's state is not complete")
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is not a dict
    except Exception as error:  # safetensors raises its own, KeyError, ValueError... for damaged bytes
        raise _damaged(path) from error
    if state.get("format") != FORMAT or state.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{path} is not a checkpoint that this PulsarCAM reads; start the training in another folder.")
    return state, tensors


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def _damaged(path: Path) -> InputError:
    return InputError(f"The checkpoint {path} is damaged; delete {path.parent} and start this training anew.")
