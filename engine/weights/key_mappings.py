"""Names in weights files whose authors called their layers otherwise than diffusers and transformers, where neither
of the two converts them."""

from __future__ import annotations

import re
from collections.abc import Iterable

Names = tuple[tuple[str, str], ...]

# Wan2.1 wan/modules/t5.py, as WanGP and Kijai share it; ComfyUI's copy has the names of transformers already.
UMT5_BLOCK = r"^blocks\.(\d+)\."
UMT5: Names = (
    (r"^token_embedding\.", "shared."),
    (r"^norm\.", "encoder.final_layer_norm."),
    (UMT5_BLOCK + r"norm1\.", r"encoder.block.\1.layer.0.layer_norm."),
    (UMT5_BLOCK + r"attn\.", r"encoder.block.\1.layer.0.SelfAttention."),
    (UMT5_BLOCK + r"pos_embedding\.embedding\.", r"encoder.block.\1.layer.0.SelfAttention.relative_attention_bias."),
    (UMT5_BLOCK + r"norm2\.", r"encoder.block.\1.layer.1.layer_norm."),
    (UMT5_BLOCK + r"ffn\.gate\.0\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_0."),
    (UMT5_BLOCK + r"ffn\.fc1\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_1."),
    (UMT5_BLOCK + r"ffn\.fc2\.", r"encoder.block.\1.layer.1.DenseReluDense.wo."),
)
# Wan2.2 wan/modules/vae2_2.py; diffusers' single-file converter knows that of Wan 2.1 only.
WAN_22_VAE: Names = (
    (r"^encoder\.downsamples\.(\d+)\.downsamples\.\d+\.(resample|time_conv)", r"encoder.down_blocks.\1.downsampler.\2"),
    (r"^decoder\.upsamples\.(\d+)\.upsamples\.\d+\.(resample|time_conv)", r"decoder.up_blocks.\1.upsampler.\2"),
    (r"^encoder\.downsamples\.(\d+)\.downsamples\.", r"encoder.down_blocks.\1.resnets."),
    (r"^decoder\.upsamples\.(\d+)\.upsamples\.", r"decoder.up_blocks.\1.resnets."),
    (r"^(encoder|decoder)\.middle\.0\.", r"\1.mid_block.resnets.0."),
    (r"^(encoder|decoder)\.middle\.1\.", r"\1.mid_block.attentions.0."),
    (r"^(encoder|decoder)\.middle\.2\.", r"\1.mid_block.resnets.1."),
    (r"^(encoder|decoder)\.head\.0\.", r"\1.norm_out."),
    (r"^(encoder|decoder)\.head\.2\.", r"\1.conv_out."),
    (r"^(encoder|decoder)\.conv1\.", r"\1.conv_in."),
    (r"^conv1\.", "quant_conv."),
    (r"^conv2\.", "post_quant_conv."),
    (r"\.residual\.0\.", ".norm1."),
    (r"\.residual\.2\.", ".conv1."),
    (r"\.residual\.3\.", ".norm2."),
    (r"\.residual\.6\.", ".conv2."),
    (r"\.shortcut\.", ".conv_shortcut."),
)
# Wan2.1 wan/modules/model.py: where the two pictures' tokens stand, which diffusers' converter leaves out.
WAN_TWO_PICTURES: Names = ((r"^img_emb\.emb_pos$", "condition_embedder.image_embedder.pos_embed"),)
# llama.cpp's names of T5 and UMT5, which GGUF files of both have.
PACKED_BLOCK = r"^enc\.blk\.(\d+)\."
PACKED_T5: Names = (
    (r"^token_embd\.", "shared."),
    (r"^enc\.output_norm\.", "encoder.final_layer_norm."),
    (PACKED_BLOCK + r"attn_rel_b\.", r"encoder.block.\1.layer.0.SelfAttention.relative_attention_bias."),
    (PACKED_BLOCK + r"attn_norm\.", r"encoder.block.\1.layer.0.layer_norm."),
    (PACKED_BLOCK + r"attn_([qkvo])\.", r"encoder.block.\1.layer.0.SelfAttention.\2."),
    (PACKED_BLOCK + r"ffn_norm\.", r"encoder.block.\1.layer.1.layer_norm."),
    (PACKED_BLOCK + r"ffn_gate\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_0."),
    (PACKED_BLOCK + r"ffn_up\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_1."),
    (PACKED_BLOCK + r"ffn_down\.", r"encoder.block.\1.layer.1.DenseReluDense.wo."),
)
KNOWN_BY_PACKED = {"enc.blk.0.attn_q.weight": PACKED_T5}
KNOWN_BY = {
    "img_emb.emb_pos": WAN_TWO_PICTURES,
    "blocks.0.pos_embedding.embedding.weight": UMT5,
    "encoder.downsamples.0.downsamples.0.residual.2.weight": WAN_22_VAE,
}


def plain(names: Iterable[str], packed: bool = False) -> dict[str, str]:
    """What each name of a file is called in diffusers or transformers; itself, where they know it or nobody does.

    `packed`: a GGUF file, whose transformers diffusers reads by itself.
    """
    kept, known = list(names), KNOWN_BY_PACKED if packed else KNOWN_BY
    layout = next((layout for name, layout in known.items() if name in kept), ())
    return {name: _renamed(name, layout) for name in kept}


def _renamed(name: str, layout: Names) -> str:
    for theirs, ours in layout:
        name = re.sub(theirs, ours, name)
    return name
