"""The studio page: a Gradio face over the engine. `server.serve` opens it.

    server    the address: a port, uvicorn, start and stop       door, intake, seal   who may come in, and with how much
    middleware   connections that never end, JSON without end
    incoming  files that a person brings                         given, slots, loras  what the form brings beside words
    studio    the screens joined and wired                       page                 all widgets, by screen
    languages    a page for each language
    acts, wishes, bring   what a click does                        media                takes, clips, pictures by name
    form, expert, picker, saved, outlook, preview                Create, left: what is asked for, and what it takes
    stage, strip, sheet, clip, compare, onward                   Create, right: what is made, and the way on
    line, shelf, models, arrivals, machine                       the other screens: queue, library, models, my machine
    question, lent, hub_lora    what a download costs; weights that another program keeps; a LoRA of the hub
    view, roster    what is going on, and every model as this computer sees it, read afresh from the engine
    api, tools   named endpoints and MCP tools for programs      look                 theme, style, script

Gradio reads this variable when it is imported, so it is set before any module here can import it.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
