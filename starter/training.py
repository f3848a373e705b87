"""What the training scripts share: the optimiser, ranks that average gradients, a learning-rate clock, checkpoints.

A step's random numbers depend on (seed, step, rank) alone, so that a run resumed from a checkpoint repeats exactly
what an uninterrupted one would have done.
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

# Without instructions of its own for it, a processor multiplies bfloat16 seven times slower than float32 (measured).
COARSE = (
    torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else torch.float32
)


def coarse() -> torch.autocast:
    """The context in which a processor multiplies as coarsely as it is good at."""
    return torch.autocast("cpu", torch.bfloat16, enabled=COARSE is torch.bfloat16)


def _orthogonal(matrix: Tensor) -> Tensor:
    """The nearest (roughly) orthogonal matrix, by five Newton-Schulz steps."""
    x = matrix.to(COARSE)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return (x.T if tall else x).float()


def _orthogonal_on_ranks(updates: list[Tensor]) -> list[Tensor]:
    """Every update orthogonalised; the ranks, which hold the same updates, share the work."""
    ranks, rank = (dist.get_world_size(), dist.get_rank()) if dist.is_initialized() else (1, 0)
    mine = [_orthogonal(update) if i % ranks == rank else torch.zeros_like(update) for i, update in enumerate(updates)]
    if ranks == 1:
        return mine
    message = torch.cat([update.flatten() for update in mine])
    dist.all_reduce(message)
    return [part.view_as(u) for part, u in zip(message.split([u.numel() for u in updates]), updates, strict=True)]


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised; a convolution counts as the matrix (out, in x kernel)."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            for p, update in zip(params, _orthogonal_on_ranks([self._update(p, group) for p in params]), strict=True):
                scale = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
                p.add_(update.view_as(p), alpha=-group["lr"] * scale)

    def _update(self, p: nn.Parameter, group: dict) -> Tensor:
        state = self.state[p]
        if not state:
            state["momentum"] = torch.zeros_like(p)
        state["momentum"].lerp_(p.grad, 1 - group["momentum"])
        return p.grad.lerp(state["momentum"], group["momentum"]).flatten(1)


class Optimisers:
    """Muon for the matrices inside blocks, AdamW for everything else; one factor scales both learning rates."""

    def __init__(
        self, matrices: list[nn.Parameter], others: list[nn.Parameter], muon_lr: float, adam_lr: float
    ) -> None:
        self.pair = [
            Muon(matrices, lr=muon_lr),
            torch.optim.AdamW(others, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.base = [muon_lr, adam_lr]

    def step(self, factor: float) -> None:
        for optimiser, base in zip(self.pair, self.base, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = base * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Tensor]:
        """Every tensor of both optimisers' states under a flat name."""
        return {
            f"{which}.{index}.{name}": tensor
            for which, optimiser in enumerate(self.pair)
            for index, state in optimiser.state_dict()["state"].items()
            for name, tensor in state.items()
        }

    def load_state_dict(self, flat: dict[str, Tensor]) -> None:
        states: list[dict] = [{}, {}]
        for key, tensor in flat.items():
            which, index, name = key.split(".")
            states[int(which)].setdefault(int(index), {})[name] = tensor
        for optimiser, state in zip(self.pair, states, strict=True):
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


@dataclass
class Clock:
    """How far a run has got, in steps or (when `minutes` is set) in training time; survives a restart."""

    steps: int
    minutes: float = 0.0
    step: int = 0
    elapsed_seconds: float = 0.0
    ticked: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Count the time since the last tick. Call it before the ranks average, so that they agree on when to stop."""
        now = time.monotonic()
        self.elapsed_seconds += now - self.ticked
        self.ticked = now

    def progress(self) -> float:
        return self.elapsed_seconds / (60 * self.minutes) if self.minutes else self.step / self.steps

    def learning_rate_factor(self, warmup_steps: int = 30) -> float:
        """Linear warm-up, flat to half time, then a line to zero."""
        return min(1.0, (self.step + 1) / warmup_steps, max(0.0, 2.0 * (1.0 - self.progress())))

    def generator(self, seed: int, rank: int) -> np.random.Generator:
        torch.manual_seed(hash((seed, self.step, rank)) % 2**31)
        return np.random.default_rng((seed, self.step, rank))


def average_over_ranks(model: nn.Module, clock: Clock) -> None:
    """Replace gradients and the clock's time by their means over the ranks, in one message."""
    if not dist.is_initialized():
        return
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    message = torch.cat([g.flatten() for g in grads] + [torch.tensor([clock.elapsed_seconds])])
    dist.all_reduce(message)
    message /= dist.get_world_size()
    clock.elapsed_seconds = float(message[-1])
    for grad, part in zip(grads, message[:-1].split([g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))


def _rank_main(rank: int, ranks: int, meeting: str, main: Callable, options: object) -> None:
    torch.set_num_threads(1)
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # the parent's end reaches a rank as this signal, which nohup would hide
    if ranks > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    main(rank, options)


def run_on_ranks(main: Callable, ranks: int, options: object) -> None:
    """Call `main(rank, options)` in one single-threaded process per rank: threads collapse on a shared machine."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # for numpy in the ranks
    meeting = Path(tempfile.gettempdir()) / f"starter-ranks-{os.getpid()}"
    meeting.unlink(missing_ok=True)
    if ranks == 1:
        _rank_main(0, 1, "", main, options)
    else:
        torch.multiprocessing.spawn(_rank_main, (ranks, str(meeting), main, options), nprocs=ranks)


def save_checkpoint(path: Path, clock: Clock, **parts: nn.Module | Optimisers) -> None:
    """Write beside, then rename: a checkpoint is either whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"{part}/{key}": t.clone() for part, owner in parts.items() for key, t in owner.state_dict().items()}
    beside = path.with_suffix(".part")
    save_file(tensors, beside, {"step": str(clock.step), "elapsed_seconds": str(clock.elapsed_seconds)})
    beside.replace(path)


def load_checkpoint(path: Path, clock: Clock | None, **parts: nn.Module | Optimisers) -> None:
    """Fill every part, and the position of `clock`, from a checkpoint; the clock's limits stay as asked for."""
    tensors: dict[str, dict[str, Tensor]] = {part: {} for part in parts}
    with safe_open(path, "pt") as saved:
        if clock:
            clock.step, clock.elapsed_seconds = (
                int(saved.metadata()["step"]),
                float(saved.metadata()["elapsed_seconds"]),
            )
        for name in saved.keys():  # noqa: SIM118 (a safetensors file is no dict)
            part, _, key = name.partition("/")
            if part in parts:
                tensors[part][key] = saved.get_tensor(name)
    for part, owner in parts.items():
        owner.load_state_dict(tensors[part])


def log(path: Path, message: str) -> None:
    line = f"{time.strftime('%H:%M:%S')} {message}"
    print(line, flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")
