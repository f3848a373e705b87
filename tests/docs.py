"""What the docs say of the code, written from the code: `python3 bootstrap.py -m tests.docs` after a change of either.

`docs/architecture.md` gets a line for each module, `docs/commands.md` every command and option, `docs/api.md` what a
face may use of the engine.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

import click
import typer

import engine
from engine import APP

ARCHITECTURE, COMMANDS, API = (APP / "docs" / name for name in ("architecture.md", "commands.md", "api.md"))
MODULES = re.compile(r"(<!-- modules: written by tests/docs.py -->\n).*(<!-- end of modules -->)", re.S)


def first_sentence(docstring: str | None) -> str:
    return " ".join((docstring or "").split("\n\n")[0].split())


def modules() -> str:
    """A line for each module of the engine and its faces, by package."""
    said = []
    for folder in sorted({path.parent for part in ("engine", "ui") for path in (APP / part).rglob("*.py")}):
        files = sorted(folder.glob("*.py"), key=lambda path: (path.name != "__init__.py", path.name))
        if files:
            said.append(f"\n**`{folder.relative_to(APP).as_posix()}/`**\n")
        for path in files:
            told = first_sentence(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))
            said.append(f"- `{path.name}`: {told}")
    return "\n".join(said).strip() + "\n"


def commands() -> str:
    """Every command with its options, as `--help` tells them."""
    from ui.commands import app

    said = [
        "# Commands",
        "",
        "`python3 bootstrap.py app.py <command>`; each knows `--help`. Written from the code.",
        "",
    ]
    for name, command in _below("app.py", typer.main.get_command(app)):
        said += [f"## `{name}`", "", " ".join(inspect.cleandoc(command.help or "").split()), ""]
        for option in command.params:
            written = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
            said.append(f"- {written}: {' '.join(str(getattr(option, 'help', '') or '').split())}".rstrip(": "))
        said.append("")
    return "\n".join(said).rstrip() + "\n"


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for below in getattr(command, "commands", {}).values():
        yield from _below(f"{name} {below.name}", below)


def api() -> str:
    """What `engine` lists: signatures and docstrings, with units, errors and sources where they are said."""
    said = [
        "# The engine for faces",
        "",
        "What `from engine import ...` offers; nothing else is promised. Written from the code.",
        "",
    ]
    for name in sorted(engine.__all__, key=str.casefold):
        thing = getattr(engine, name)
        if inspect.isclass(thing):
            said += _class(name, thing)
        elif inspect.isfunction(thing):
            said += [f"## `{name}{_signature(thing)}`", "", inspect.getdoc(thing) or "", ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(said)).rstrip() + "\n"


def _class(name: str, thing: type) -> Iterator[str]:
    yield from (f"## `{name}`", "", _own_doc(thing), "")
    fields = getattr(thing, "model_fields", {})
    if fields:
        yield from (f"- `{field}: {_type(thing, field)}`" for field in fields)
        yield ""
    for member, found in inspect.getmembers(thing):
        plain = inspect.isfunction(found) or isinstance(found, property)
        if member.startswith(("_", "model_")) or member == "but" or not plain or not _ours(found):
            continue
        told = inspect.getdoc(found) or ""
        written = member if isinstance(found, property) else f"{member}{_signature(found)}"
        yield f"- `{written}`" + (f": {' '.join(told.split())}" if told else "")
    yield ""


def _ours(found: object) -> bool:
    code = found.fget if isinstance(found, property) else found
    return str(getattr(code, "__module__", "")).startswith("engine")


def _own_doc(thing: type) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def _type(thing: type, field: str) -> str:
    for base in thing.__mro__:
        if field in getattr(base, "__annotations__", {}):
            return str(base.__annotations__[field])
    return ""


def _signature(function: object) -> str:
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))  # type: ignore[arg-type]


def with_modules(text: str) -> str:
    """The architecture with its list of modules as it is now."""
    return MODULES.sub(lambda found: found[1] + modules() + found[2], text)


def main() -> None:
    ARCHITECTURE.write_text(with_modules(ARCHITECTURE.read_text(encoding="utf-8")), encoding="utf-8")
    COMMANDS.write_text(commands(), encoding="utf-8")
    API.write_text(api(), encoding="utf-8")


if __name__ == "__main__":
    main()
