"""Times that others published, as the authors of models and engines report them; none was measured here.

Sources: Wan-Video/Wan2.1 and Wan2.2 (assets/comp_effic.png), ModelTC/LightX2V (diffusers' steps), the docs of xDiT, the
README of CogVideo, sglang PR 23137, the README of lllyasviel/FramePack (2.5 seconds a frame, its steps and size).
"""

from __future__ import annotations

from typing import NamedTuple

from engine.schema import Device


def card(name: str, capability: str, cores: int, clock_mhz: int, vram_gb: float) -> Device:
    return Device(id="cuda:0", name=name, vram_gb=vram_gb, vram_free_gb=vram_gb * 0.97, compute_capability=capability,
                  cores=cores, clock_mhz=clock_mhz, pcie_generation=4, pcie_width=16)  # fmt: skip


RTX_4090 = card("NVIDIA GeForce RTX 4090", "8.9", 16384, 3105, 25.8)
A100 = card("NVIDIA A100-SXM4-80GB", "8.0", 6912, 1410, 85.9)
H100 = card("NVIDIA H100 80GB HBM3", "9.0", 16896, 1980, 85.5)
H200 = card("NVIDIA H200", "9.0", 16896, 1980, 151.0)


class Published(NamedTuple):
    model: str
    device: Device
    width: int
    height: int
    frames: int
    steps: int
    seconds: float


PUBLISHED = [
    Published("wan2.1-t2v-1.3b", RTX_4090, 832, 480, 81, 50, 261.4),
    Published("wan2.1-t2v-14b", H100, 1280, 720, 81, 50, 1837.9),
    Published("wan2.1-t2v-14b", A100, 1280, 720, 81, 50, 3342.6),
    Published("wan2.1-i2v-14b-720p", H100, 1280, 720, 81, 40, 1491.6),
    Published("wan2.1-i2v-14b-720p", A100, 1280, 720, 81, 40, 2715.5),
    Published("wan2.1-i2v-14b-480p", H100, 832, 480, 81, 40, 40 * 9.77),
    Published("wan2.1-i2v-14b-480p", H200, 832, 480, 81, 40, 366),
    Published("wan2.2-ti2v-5b", RTX_4090, 1280, 704, 121, 50, 534.7),
    Published("wan2.2-t2v-a14b", H100, 832, 480, 81, 40, 326.9),
    Published("wan2.2-t2v-a14b", A100, 832, 480, 81, 40, 785.7),
    Published("wan2.2-t2v-a14b", H100, 1280, 720, 81, 40, 1041.5),
    Published("wan2.2-t2v-a14b", A100, 1280, 720, 81, 40, 2735.7),
    Published("hunyuanvideo-t2v-13b", H100, 1280, 720, 129, 50, 1904),
    Published("cogvideox-2b", H100, 720, 480, 49, 50, 45),
    Published("cogvideox-2b", A100, 720, 480, 49, 50, 90),
    Published("cogvideox-5b", H100, 720, 480, 49, 50, 90),
    Published("cogvideox-5b", A100, 720, 480, 49, 50, 180),
    Published("ltx-2-distilled", H100, 768, 512, 121, 8, 9.52),
    Published("framepack-i2v-13b", RTX_4090, 640, 608, 145, 25, 145 * 2.5),
]
