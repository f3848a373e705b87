"""The settings of released checkpoints, as diffusers' conversion scripts write them."""

from __future__ import annotations

from typing import Any

Settings = dict[str, Any]
WAN_1B: Settings = {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}
WAN_14B: Settings = {"num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40}
WAN_5B: Settings = {
    "num_attention_heads": 24,
    "ffn_dim": 14336,
    "num_layers": 30,
    "in_channels": 48,
    "out_channels": 48,
}
WAN_I2V: Settings = {**WAN_14B, "in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
LTX_13B: Settings = {"attention_head_dim": 128, "cross_attention_dim": 4096, "num_layers": 48}
LTX_2_3: Settings = {"rope_type": "split", "gated_attn": True, "cross_attn_mod": True, "audio_gated_attn": True,
                     "audio_cross_attn_mod": True, "use_prompt_embeddings": False, "perturbed_attn": True}  # fmt: skip
COG_5B: Settings = {"num_attention_heads": 48, "num_layers": 42, "use_rotary_positional_embeddings": True}
COG_1_5: Settings = {**COG_5B, "patch_size_t": 2, "patch_bias": False, "sample_height": 300, "sample_width": 300,
                     "sample_frames": 81}  # fmt: skip
KANDINSKY_LITE: Settings = {"in_visual_dim": 16, "out_visual_dim": 16, "model_dim": 1792, "ff_dim": 7168,
                            "visual_cond": True}  # fmt: skip
WAN_22_VAE: Settings = {"base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "in_channels": 12,
                        "out_channels": 12, "patch_size": 2, "scale_factor_spatial": 16,
                        "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48}  # fmt: skip
LTX_095_VAE: Settings = {
    "block_out_channels": (128, 256, 512, 1024, 2048),
    "down_block_types": ("LTXVideo095DownBlock3D",) * 4,
    "decoder_block_out_channels": (256, 512, 1024),
    "layers_per_block": (4, 6, 6, 2, 2),
    "decoder_layers_per_block": (5, 5, 5, 5),
    "spatio_temporal_scaling": (True, True, True, True),
    "decoder_spatio_temporal_scaling": (True, True, True),
    "decoder_inject_noise": (False,) * 4,
    "downsample_type": ("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
    "upsample_residual": (True, True, True),
    "upsample_factor": (2, 2, 2),
    "timestep_conditioning": True,
    "spatial_compression_ratio": 32,
    "temporal_compression_ratio": 8,
}
LTX_2_3_VAE: Settings = {
    "block_out_channels": (256, 512, 1024, 1024),
    "decoder_block_out_channels": (256, 512, 512, 1024),
    "layers_per_block": (4, 6, 4, 2, 2),
    "decoder_layers_per_block": (4, 6, 4, 2, 2),
    "decoder_spatio_temporal_scaling": (True,) * 4,
    "decoder_inject_noise": (False,) * 5,
    "upsample_type": ("spatiotemporal", "spatiotemporal", "temporal", "spatial"),
    "upsample_residual": (False,) * 4,
    "upsample_factor": (2, 2, 1, 2),
    "decoder_causal": False,
    "decoder_spatial_padding_mode": "zeros",
}
