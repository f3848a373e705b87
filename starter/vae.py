"""The starter's video autoencoder: its shape, and a one-pass forward for training.

Diffusers runs AutoencoderKLWan in chunks of four frames through a feature cache. For training, the same function is
computed over the whole clip at once, which is faster; tests/starter holds the two equal.
"""

import types

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import (
    WanCausalConv3d,
    WanResample,
    WanResidualBlock,
    patchify,
    unpatchify,
)
from torch import Tensor

LATENT_CHANNELS = 32
#: Standard deviation of the latent noise that decoding is trained to forgive; the posterior reports it too.
LATENT_NOISE = 0.1


def new_vae(encoder_dim: int = 32, decoder_dim: int = 32) -> AutoencoderKLWan:
    """A VAE with spatial stride 16 and temporal stride 4, residual branches damped to start near the shortcuts."""
    vae = AutoencoderKLWan(
        base_dim=encoder_dim,
        decoder_base_dim=decoder_dim,
        z_dim=LATENT_CHANNELS,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        patch_size=4,
        in_channels=48,
        out_channels=48,
        is_residual=True,
        scale_factor_spatial=16,
        latents_mean=[0.0] * LATENT_CHANNELS,
        latents_std=[1.0] * LATENT_CHANNELS,
    )
    with torch.no_grad():
        for module in vae.modules():
            if isinstance(module, WanResidualBlock):
                module.conv2.weight.mul_(0.2)
        vae.quant_conv.weight[LATENT_CHANNELS:] = 0
        vae.quant_conv.bias[LATENT_CHANNELS:] = 2 * torch.tensor(LATENT_NOISE).log()
    return vae


def _convolve(self: WanCausalConv3d, x: Tensor, cache_x: None = None) -> Tensor:
    """Pad in time only and let the convolution pad in space: one copy less."""
    pad = self._padding
    x = F.pad(x, (0, 0, 0, 0, pad[4], 0)) if pad[4] else x
    return F.conv3d(x, self.weight, self.bias, self.stride, (0, pad[2], pad[0]))


def _resample(self: WanResample, x: Tensor, feat_cache: None = None, feat_idx: None = None) -> Tensor:
    """What the chunked forward does over a whole clip: the first frame stays alone, the others pair up."""
    b, c, t, h, w = x.shape
    if self.mode == "upsample3d" and t > 1:
        later = self.time_conv(x[:, :, 1:]).reshape(b, 2, c, t - 1, h, w)
        later = later.permute(0, 2, 3, 1, 4, 5).reshape(b, c, 2 * t - 2, h, w)
        x = torch.cat([x[:, :, :1], later], 2)
    t = x.shape[2]
    x = self.resample(x.permute(0, 2, 1, 3, 4).reshape(b * t, c, h, w))
    x = x.view(b, t, *x.shape[1:]).permute(0, 2, 1, 3, 4)
    if self.mode == "downsample3d" and t > 1:
        x = torch.cat([x[:, :, :1], self.time_conv(x)], 2)
    return x


def _norm_silu(x: Tensor, gamma: Tensor, scale: float) -> Tensor:
    y = x.float()
    y = y * torch.rsqrt(y.square().sum(1, keepdim=True).clamp_min(1e-24)) * scale * gamma
    return F.silu(y).to(x.dtype)


def make_one_pass(vae: AutoencoderKLWan, compiled: bool = False) -> AutoencoderKLWan:
    """Let `encode_clip` and `decode_latents` run this instance over whole clips; its weights do not change.

    `compiled` fuses normalisation and activation, which are bound by memory: a training step takes 0.70 of the time.
    """
    torch._dynamo.config.recompile_limit = 64  # one variant per width, memory layout and crop shape
    norm_silu = torch.compile(_norm_silu, dynamic=True) if compiled else _norm_silu

    def residual(self: WanResidualBlock, x: Tensor, feat_cache: None = None, feat_idx: None = None) -> Tensor:
        shortcut = self.conv_shortcut(x)
        x = self.conv1(norm_silu(x, self.norm1.gamma, self.norm1.scale))
        return shortcut + self.conv2(norm_silu(x, self.norm2.gamma, self.norm2.scale))

    for module in vae.modules():
        if isinstance(module, WanCausalConv3d):
            module.forward = types.MethodType(_convolve, module)
        elif isinstance(module, WanResample):
            module.forward = types.MethodType(_resample, module)
        elif isinstance(module, WanResidualBlock):
            module.forward = types.MethodType(residual, module)
    return vae


def encode_clip(vae: AutoencoderKLWan, clip: Tensor) -> Tensor:
    """Latent means (batch, 32, 1 + (frames - 1) / 4, height / 16, width / 16).

    `clip` is (batch, 3, frames, height, width) in -1..1.
    """
    return vae.quant_conv(vae.encoder(patchify(clip, 4)))[:, :LATENT_CHANNELS]


def decode_latents(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """Clips (batch, 3, frames, height, width), about -1..1 and not clamped, of unnormalised latents."""
    return unpatchify(vae.decoder(vae.post_quant_conv(latents), first_chunk=True), 4)
