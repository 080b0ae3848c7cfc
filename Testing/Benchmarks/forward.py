"""(a) What the maps cost on top of a forward pass: the fastest pass found, the product's pass, the product's maps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from encoders import CANDIDATES, whole_module
from making import members, patches
from measuring import Row, ratio, take_turns

from PulsarCAMLib.systems.autoencoder.maps.compute import USUAL, explain_patches
from PulsarCAMLib.systems.autoencoder.maps.relative import with_reference
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER

SLICES = 1500
CHUNKS = (8, 16, 24, 32, 64, SLICES)
LARGE = 32
"""Smaller chunks are not worth waking a second thread for."""

PAPER = ("pixelwise", "gradcam", "gradcam++")

FEW = 32
"""Slices whose mean features stand for those of training lesions; which they are is the same for the time."""

TRIAL_SLICES = 192
FINALISTS = 3
"""Plans that run against the product: which one is fastest changes with the state of the process's memory."""

NEAR = 1.3
"""A candidate this much slower than the best in the trial is not tried on all slices."""


@dataclass(frozen=True)
class Plan:
    """One way to run a forward pass over all slices.

    Attributes:
        way: name in :data:`~encoders.CANDIDATES`.
        chunk: slices at once.
        spread: ``"one thread"``, ``"chunks over threads"`` or ``"each operation over threads"``.
        mode: torch's mode without gradients, ``"inference_mode"`` or ``"no_grad"``.
    """

    way: str
    chunk: int
    spread: str
    mode: str = "inference_mode"

    def __str__(self) -> str:
        return f"{self.way}; chunks of {self.chunk}; {self.spread}; {self.mode}"

    def runner(self, run_chunk: Callable, images: np.ndarray, masks: np.ndarray, threads: int) -> Callable:
        """A function that gives all logits ``[members, n]``."""
        without_gradients = getattr(torch, self.mode)
        starts = range(0, len(images), self.chunk)

        def one(start: int) -> torch.Tensor:
            part = slice(start, start + self.chunk)
            with without_gradients():
                return run_chunk(torch.from_numpy(images[part]), torch.from_numpy(masks[part]))

        def run() -> torch.Tensor:
            torch.set_num_threads(threads if self.spread == "each operation over threads" else 1)
            if self.spread != "chunks over threads":
                parts = list(map(one, starts))
            else:
                with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                    parts = list(pool.map(one, starts))
            torch.set_num_threads(threads)
            return torch.cat(parts, 1)

        return run


def plans(threads: int, count: int) -> Iterator[Plan]:
    """All that are tried."""
    spreads = ["one thread"] if threads == 1 else ["chunks over threads", "each operation over threads"]
    for way in CANDIDATES:
        if way.endswith("grouped") and count == 1:
            continue
        for spread in spreads:
            for chunk in CHUNKS:
                if spread != "each operation over threads" or chunk >= LARGE:
                    yield Plan(way, chunk, spread)


def fastest(models: list, images: np.ndarray, masks: np.ndarray, threads: int) -> tuple[list[Plan], list]:
    """The fastest plans, and ``(way, best microseconds per slice)`` of every way in the trial.

    A trial on few slices sorts out what is far off; of the rest the best on all slices are taken.
    """
    made = {way: make(models) for way, make in CANDIDATES.items()}
    few = slice(0, TRIAL_SLICES)
    tried: dict[Plan, float] = {}
    with torch.inference_mode():
        wanted = made["torch modules, default layout"](torch.from_numpy(images[:8]), torch.from_numpy(masks[:8]))
        for way, run in made.items():
            found = run(torch.from_numpy(images[:8]), torch.from_numpy(masks[:8]))
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5, msg=way)
    for plan in reversed(list(plans(threads, len(models)))):
        run = plan.runner(made[plan.way], images[few], masks[few], threads)
        tried[plan] = _best_of(run, 4, 2 * min(tried.values(), default=np.inf))
    by_way = {}
    for plan, seconds in tried.items():
        by_way[plan.way] = min(by_way.get(plan.way, np.inf), seconds / TRIAL_SLICES * 1e6)
    best = min(tried.values())
    near = sorted((plan for plan in tried if tried[plan] <= NEAR * best and plan.chunk < SLICES), key=tried.get)[:6]
    near += [Plan(plan.way, plan.chunk, plan.spread, "no_grad") for plan in near[:1]]
    runs = {plan: plan.runner(made[plan.way], images, masks, threads) for plan in near}
    times = take_turns(runs, turns=5, seconds=15)
    return sorted(near, key=lambda plan: times[plan].best)[:FINALISTS], list(by_way.items())


def _best_of(run: Callable, times: int, hopeless: float) -> float:
    """Seconds; one turn is enough for what takes longer than ``hopeless``."""
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        if best > hopeless:
            break
    return best


def rows(threads_to_try: list[int], quick: bool) -> Iterator[Row]:
    """The report's lines."""
    slices = 600 if quick else SLICES
    images, masks = patches(slices)
    for count, turns in ((1, 30), (5, 12)):
        for threads in threads_to_try:
            yield from _duel(members(count), images, masks, threads, 8 if quick else turns)


def _duel(models: list, images: np.ndarray, masks: np.ndarray, threads: int, turns: int) -> Iterator[Row]:
    torch.set_num_threads(threads)
    ensemble = Ensemble(models)
    referenced = Ensemble(with_reference(models, images[:FEW], masks[:FEW]))
    left, by_way = fastest(models, images, masks, threads)
    plain = {str(p): p.runner(CANDIDATES[p.way](models), images, masks, threads) for p in left}
    began = time.perf_counter()
    changed = np.concatenate([AUTOENCODER.left_out(way.name, images, masks) for way in AUTOENCODER.leave_outs])
    making = 1e6 * (time.perf_counter() - began) / len(images)
    again = np.concatenate([masks] * len(AUTOENCODER.leave_outs))
    product = {
        "left out": lambda: torch.cat(list(ensemble.in_chunks(ensemble.logits, changed, again)), 1),
        "product": lambda: torch.cat(list(ensemble.in_chunks(ensemble.logits, images, masks)), 1),
        "maps": lambda: explain_patches(ensemble, images, masks, PAPER),
        "five maps": lambda: explain_patches(referenced, images, masks, USUAL),
    }
    times = take_turns(plain | product, turns)
    name = min(plain, key=lambda each: times[each].best)
    whole = Plan("", 16, left[0].spread).runner(whole_module(models), images, masks, threads)
    decoder = take_turns({"whole": whole}, 2, seconds=5)["whole"]
    torch.set_num_threads(1)
    group = f"(a) {_many(len(models), 'member')}, {len(images)} slices, {_many(threads, 'thread')}"
    yield Row(group, "fastest forward pass found (encoder, classifier)", 1e3 * times[name].best, "ms", "", name)
    others = "; ".join(f"{way}: {value / len(models):.0f}" for way, value in by_way)
    per_slice = 1e6 * times[name].best / len(images) / len(models)
    yield Row(group, "the same per slice and member", per_slice, "µs", "", f"best in the trial of each way: {others}")
    yield Row(group, "torch module as it is, with decoder", 1e3 * decoder.best, "ms", "", "chunks of 16")
    value, note = ratio(times["product"], times[name])
    yield Row(group, "product's inference / fastest forward pass", value, "x", "<= 1.05", note)
    fastest_pass = min(times[name], times["product"], key=lambda each: each.best)
    value, note = ratio(times["maps"], fastest_pass)
    yield Row(group, "three maps, both classes / fastest forward pass", value, "x", "<= 1.15", note)
    value, note = ratio(times["five maps"], fastest_pass)
    yield Row(group, "all five maps, both classes / fastest forward pass", value, "x", "<= 1.20", note)
    value, note = ratio(times["left out"], fastest_pass)
    note = f"{note}; of a lesion's answering slice only, and {making:.0f} µs to make both".removeprefix("; ")
    yield Row(group, "outside replaced, inside shuffled / fastest forward pass", value, "x", "<= 2.1", note)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"
