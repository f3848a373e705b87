"""Colours, type and spacing. System fonts only: the page fetches nothing from anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr

from ui.page.components.html import render
from ui.texts import FORM

ASSETS = Path(__file__).parent / "assets"
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
COLOURS = {
    "color_accent": "*primary_700",
    "body_background_fill": "#faf9f7",
    "body_background_fill_dark": "#141210",
    "body_text_color": "#292524",
    "body_text_color_dark": "#e7e3df",
    "body_text_color_subdued": "#6b635d",
    "body_text_color_subdued_dark": "#a39a92",
    "block_background_fill": "#ffffff",
    "block_background_fill_dark": "#1d1a18",
    "block_border_color": "#e7e2dc",
    "block_border_color_dark": "#2e2a27",
    "block_label_background_fill": "transparent",
    "block_label_background_fill_dark": "transparent",
    "block_title_text_weight": "600",
    "block_shadow": "none",
    "block_shadow_dark": "none",
    "input_background_fill": "#ffffff",
    "input_background_fill_dark": "#161412",
    "input_border_color": "#d9d2ca",
    "input_border_color_dark": "#3a3531",
    "border_color_primary": "#e7e2dc",
    "border_color_primary_dark": "#2e2a27",
    "button_primary_background_fill": "#c2410c",
    "button_primary_background_fill_hover": "#9a3412",
    "button_primary_background_fill_dark": "#ea7a3c",
    "button_primary_background_fill_hover_dark": "#f4935a",
    "button_primary_text_color": "#ffffff",
    "button_primary_text_color_dark": "#1a0f08",
    "button_large_text_weight": "600",
    "button_secondary_background_fill": "#f3efea",
    "button_secondary_background_fill_hover": "#e7e2dc",
    "button_secondary_background_fill_dark": "#24201d",
    "button_secondary_background_fill_hover_dark": "#2e2a27",
    "button_secondary_text_color": "#292524",
    "button_secondary_text_color_dark": "#e7e3df",
    "input_placeholder_color": "#7a716a",
    "input_placeholder_color_dark": "#8f867e",
    "checkbox_border_radius": "4px",
    "checkbox_border_color": "#a39a92",
    "checkbox_border_color_dark": "#6b635d",
    "slider_color": "#c2410c",
    "slider_color_dark": "#ea7a3c",
}


def theme() -> gr.themes.Base:
    """Warm grey with one accent, the orange of a film leader; both halves of the day."""
    chosen = gr.themes.Base(
        primary_hue=gr.themes.colors.orange,
        secondary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_lg,
        font=FONT,
        font_mono=MONO,
    )
    return chosen.set(**COLOURS)


def style() -> str:
    """The style sheet, and the two ends of the dial in words where Gradio shows 0 and 1."""
    ends = f"""
#dial .min_value::after {{ content: {json.dumps(FORM.dial_close)}; }}
#dial .max_value::after {{ content: {json.dumps(FORM.dial_detail)}; }}
"""
    return (ASSETS / "page.css").read_text(encoding="utf-8") + ends


def head() -> str:
    """The rules for narrow pages, which must reach the browser as they are."""
    return render("components/head.html")


def script() -> str:
    return (ASSETS / "page.js").read_text(encoding="utf-8")


def brand(banner: str = "") -> str:
    """The name and the promise, and what must be seen all the time."""
    return render("components/brand.html", banner=banner)
