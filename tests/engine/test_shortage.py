"""What ran out is named from exact words: each real message has its row, and so has each that only sounds like one."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.jobs import local_worker
from engine.schema.errors import ModelProblem
from engine.worker.memory_limits import shortage

CUDA = (
    "CUDA out of memory. Tried to allocate {asked} MiB. GPU 0 has a total capacity of 23.65 GiB of which 12.00 MiB is"
    " free. Of the allocated memory 20.10 GiB is allocated by PyTorch, and {idle} MiB is reserved by PyTorch but"
    " unallocated."
)


def paging_file() -> OSError:
    error = OSError(errno.EINVAL, "The paging file is too small for this operation to complete")
    error.winerror = 1455  # type: ignore[attr-defined]
    return error


RAN_OUT = {
    "VRAM": (torch.OutOfMemoryError(CUDA.format(asked="20.00", idle="3.10")), "vram"),
    "VRAM in pieces": (torch.OutOfMemoryError(CUDA.format(asked="20.00", idle="910.50")), "fragmented"),
    "VRAM, outside torch's pool": (torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel"), "vram"),
    "VRAM, cuBLAS": (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), "vram"),
    "VRAM, bitsandbytes": (RuntimeError("Error out of memory at line 380 in file /src/csrc/ops.cu"), "vram"),
    "VRAM, Apple": (RuntimeError("MPS backend out of memory (MPS allocated: 17.00 GiB, other allocations"), "vram"),
    "VRAM, the driver": (RuntimeError("CUDA driver error: out of memory"), "vram"),
    "VRAM, cuBLAS that cannot start": (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling"
                                                    " `cublasCreate(handle)`"), "vram"),
    "VRAM, cuDNN that cannot start": (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), "vram"),
    "VRAM, AMD's hipBLAS": (RuntimeError("CUDA error: HIPBLAS_STATUS_ALLOC_FAILED when calling"
                                         " `hipblasCreate(handle)`"), "vram"),
    "VRAM, AMD's convolutions": (RuntimeError("miopenStatusAllocFailed"), "vram"),
    "VRAM, Apple, one piece": (RuntimeError("Invalid buffer size: 372.53 GiB"), "vram"),
    "VRAM, Intel": (RuntimeError("level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"),
                    "vram"),
    "pinned": (RuntimeError("CUDA error: out of memory (cudaHostAlloc)"), "pinned"),
    "RAM, Python": (MemoryError(), "ram"),
    "RAM, the system": (OSError(errno.ENOMEM, "Cannot allocate memory"), "ram"),
    "RAM, torch on Windows": (RuntimeError("[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: not enough"
                                           " memory: you tried to allocate 906100224 bytes."), "ram"),
    "page file": (paging_file(), "page_file"),
    "page file, safetensors": (RuntimeError("The paging file is too small for this operation to complete. (os error"
                                            " 1455)"), "page_file"),
}  # fmt: skip
OTHER = {
    "another CUDA error": torch.AcceleratorError("CUDA error: device-side assert triggered"),
    "a wrong driver": RuntimeError("CUDA driver version is insufficient for CUDA runtime version"),
    "a full disk": OSError(errno.ENOSPC, "No space left on device"),
    "a missing file": FileNotFoundError(errno.ENOENT, "No such file"),
    "a shape": RuntimeError("The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension"),
    "a model that mentions it": ValueError("CUDA out of memory is what this model's readme warns of"),
    "not at the start": RuntimeError("expected mask, got 'CUDA error: out of memory'"),
    "cuDNN without an engine, on a card with room": RuntimeError(
        "GET was unable to find an engine to execute this computation"
    ),
    "cuDNN without support": RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
}


@pytest.mark.parametrize("name", RAN_OUT)
def test_what_ran_out_is_named(name: str) -> None:
    error, what = RAN_OUT[name]
    assert shortage(error) == what


@pytest.mark.parametrize("name", OTHER)
def test_what_only_sounds_like_it_is_not(name: str) -> None:
    assert shortage(OTHER[name]) is None


def test_torch_and_numpy_say_it_as_expected() -> None:
    for allocate in (lambda: torch.empty(10**15), lambda: np.empty(10**17)):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            allocate()
        assert shortage(caught.value) == "ram"


def test_the_cause_of_an_error_is_looked_at() -> None:
    with pytest.raises(ModelProblem) as caught:
        try:
            raise paging_file()
        except OSError as error:
            raise ModelProblem("The model could not be loaded.", "Install it again.") from error
    assert shortage(caught.value) == "page_file"


def test_the_same_words_from_a_line_that_pins_are_about_pinned_memory() -> None:
    with asyncio.Runner() as runner:  # a future of C raises as torch does: without a Python frame of its own
        refusal = runner.get_loop().create_future()
        refusal.set_exception(torch.AcceleratorError("CUDA error: out of memory"))
        weight = SimpleNamespace(pin_memory=refusal.result, cuda=refusal.result)
        with pytest.raises(torch.AcceleratorError) as caught:
            weight.cuda()
        assert shortage(caught.value) == "vram"
        with pytest.raises(torch.AcceleratorError) as caught:
            weight.pin_memory()
        assert shortage(caught.value) == "pinned"


DEATHS = {
    "the kernel, out of memory": (-9, True, "", "ram"),
    "somebody": (-9, False, "", None),
    "Windows without commit": (0xC000012D - 2**32, False, "", "page_file"),
    "bitsandbytes": (1, False, "loading\nError out of memory at line 62 in file /src/csrc/ops.cu\n", "vram"),
    "an earlier bitsandbytes": (1, False, "Error out of memory at line 62 in file /src/csrc/ops.cu\nTraceback", None),
    "a segmentation fault": (-11, True, "", None),
}


@pytest.mark.parametrize("name", DEATHS)
def test_a_dead_worker_is_named_by_what_killed_it(name: str) -> None:
    code, oom_killed, log, what = DEATHS[name]
    death = local_worker.of(code, oom_killed, log)
    assert death.what == what and death.remedy


def test_the_kernels_count_is_read_and_its_absence_is_zero(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 12\noom_kill 3\ndrop_slab 0\n")
    (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert local_worker.oom_kills((tmp_path / "vmstat", tmp_path / "memory.events", tmp_path / "none")) == 4
