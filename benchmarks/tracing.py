"""What a call of a real architecture holds and computes, learned on fake tensors: no weights, no GPU, seconds.

Live storages are counted at every operation, with what cuDNN takes beside a convolution, so the peak is what an
allocator without slack would need; the forecast adds CUDA's context and the slack. What operations other than products
of matrices read and write is counted too: a fast card waits for its memory there.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from diffusers.models.autoencoders.autoencoder_kl_hunyuanvideo15 import HunyuanVideo15AttnBlock
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

aten = torch.ops.aten
GB = 1e9
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "_scaled_dot_product")  # what matrix units compute, by name
# Names of what moves nothing: other views of a storage, and storages nobody has written to.
STILL = ("view", "_unsafe_view", "expand", "permute", "transpose", "t", "slice", "select", "unsqueeze", "squeeze",
         "split", "as_strided", "alias", "detach", "unbind", "chunk", "_reshape_alias", "empty")  # fmt: skip
CPU_ATTENTION = aten._scaled_dot_product_flash_attention_for_cpu  # torch's own counter does not know it


class Figures(NamedTuple):
    """GB at the peak beside the weights; operations; GB read and written outside products; kernels."""

    peak_gb: float
    operations: float
    moved_gb: float
    kernels: int


class Live(TorchDispatchMode):
    """Counts the bytes of live storages, and those that are moved. Questions that need data, which fake tensors have
    none of, are answered as for prompts of full length: every mask is true."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.now = self.peak = self.moved = self.kernels = 0
        weights = (*model.parameters(), *model.buffers())
        self._known: weakref.WeakSet[Any] = weakref.WeakSet(weight.untyped_storage() for weight in weights)
        self._inverted: weakref.WeakSet[Any] = weakref.WeakSet()
        self._sums: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()  # of masks: how many are true

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is aten._local_scalar_dense.default:
            if args[0].untyped_storage() in self._sums:
                return self._sums[args[0].untyped_storage()]
            return 1.0 if args[0].is_floating_point() else 0 if args[0].dtype == torch.bool else 1
        if func is aten.nonzero.default:
            return self._count(torch.empty(args[0].numel(), args[0].dim(), dtype=torch.long))
        if func is aten.index.Tensor and any(index is not None and index.dtype == torch.bool for index in args[1]):
            args = (args[0], [None if index is None else self._chosen(index) for index in args[1]])
        out = func(*args, **(kwargs or {}))
        if func is aten.bitwise_not.default:
            self._inverted.add(out.untyped_storage())
        if func is aten.sum.default and not args[0].is_floating_point():
            self._sums[out.untyped_storage()] = args[0].numel()
        self._count(out)
        self._work(func, (args, kwargs, out))
        return out

    def _work(self, func: Any, tensors: Any) -> None:
        """Count a kernel and what it moves. cuDNN lays channels last before a convolution in 16 bits and back after it:
        both copies lie beside the originals, and each is written and read once more."""
        name = func._schema.name.partition("::")[2]
        if name.rstrip("_") in STILL or name.startswith("split"):
            return
        self.kernels += 1
        if name.startswith(PRODUCTS):
            return
        touched = 0
        for tensor in tree_leaves(tensors):
            if isinstance(tensor, torch.Tensor) and tensor.dim():
                touched += tensor.numel() * tensor.element_size()
        if func is aten.convolution.default:
            self.peak = max(self.peak, self.now + touched)
            touched *= 3
        self.moved += touched

    def _chosen(self, mask: torch.Tensor) -> torch.Tensor:
        """The positions a mask picks: all of them, and none of the inverse."""
        return torch.zeros(0 if mask.untyped_storage() in self._inverted else mask.numel(), dtype=torch.long)

    def _count(self, out: Any) -> Any:
        tree_map_only(torch.Tensor, self._add, out)
        return out

    def _add(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage not in self._known:
            self._known.add(storage)
            size = storage.nbytes()
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._free, size)
        return tensor

    def _free(self, size: int) -> None:
        self.now -= size


def causal_mask(n_frame: int, n_hw: int, dtype: Any, device: Any, batch_size: int | None = None) -> torch.Tensor:
    """What HunyuanVideo 1.5's VAE fills row by row, thousands of operations; the same memory in one."""
    return torch.full((batch_size or 1, n_frame * n_hw, n_frame * n_hw), 0.0, dtype=dtype, device=device)


HunyuanVideo15AttnBlock.prepare_causal_attention_mask = staticmethod(causal_mask)


def fake() -> FakeTensorMode:
    return FakeTensorMode(allow_non_fake_inputs=True)


def build(kind: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """A model of fake weights in bfloat16; to be called inside `fake()`."""
    torch.set_default_dtype(torch.bfloat16)
    try:
        return kind(**settings).eval()
    finally:
        torch.set_default_dtype(torch.float32)


def parameters_b(model: Any) -> float:
    return sum(parameter.numel() for parameter in model.parameters()) / 1e9


def attention_operations(query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


@torch.no_grad()
def measured(model: torch.nn.Module, call: Callable[[], Any]) -> Figures:
    """What a call of a model takes, inside `fake()`. Counting operations keeps tensors alive, so it is called twice."""
    with Live(model) as live:
        call()
    counter = FlopCounterMode(display=False, custom_mapping={CPU_ATTENTION: attention_operations})
    with Live(model), counter:
        call()
    return Figures(live.peak / GB, float(counter.get_total_flops()), live.moved / GB, live.kernels)
