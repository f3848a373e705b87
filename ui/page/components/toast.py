"""What was done, or why not: said over whatever screen is open, and gone after a while or when it is closed."""

from __future__ import annotations

import gradio as gr

from ui.page.components.html import CLICKS, render

# What was merely said leaves by itself, later where it offers something; a problem stays until it is closed.
LEAVES = """
let leaving = 0;
const leave = () => {
    if (element.matches(':hover, :focus-within')) leaving = setTimeout(leave, 3000); else props.value = '';
};
watch('value', () => {
    clearTimeout(leaving);
    const said = element.querySelector('.said');
    if (said) leaving = setTimeout(leave, said.querySelector('button') ? 20000 : 8000);
});
element.addEventListener('click', ({ target }) => { if (target.closest('.close')) props.value = ''; });
"""


def build() -> gr.HTML:
    return gr.HTML(
        "", html_template=render("components/toast.html"), elem_id="notice", elem_classes="ours",
        apply_default_css=False, js_on_load=CLICKS + LEAVES,
    )  # fmt: skip
