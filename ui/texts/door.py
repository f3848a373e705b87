"""What is said at the door, in the terminal, and about sharing on the home network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DoorTexts:
    wrong_host: str = "This studio answers only at its own address on this computer."
    foreign: str = "This request came from another web page, so it was refused."
    nothing_here: str = "There is nothing here."
    this_file: str = "This file"
    too_large: str = "This is more than the studio accepts at once."
    no_text: str = "There are characters in it that no text can have. Type it anew."
    unknown_action: str = "This page asks for something that the studio does not know."
    bad_payload: str = "This page asks for something in a way that the studio does not understand."
    load_again: str = "Load the page again: it may be older than the studio."
    too_deep: str = "This is nested deeper than anything the studio is asked."


@dataclass(frozen=True)
class ServerTexts:
    open: str = "Rushes is open at {url}  (Ctrl+C closes it)"
    closed: str = "Rushes is closed. What was waiting goes on at the next start."
    next_port: str = "Port {taken} is in use, so this studio opens at port {port}."
    port_taken: str = "Port {port} is in use by another program."
    port_taken_remedy: str = "Close that program, or choose another port with --port."
    no_port: str = "No free port was found."
    bad_port: str = "That is not a port."
    bad_port_remedy: str = "Use a number from 1 to 65535."


@dataclass(frozen=True)
class LanTexts:
    """Sharing on the home network."""

    missing: str = "Sharing on the home network needs a password."
    missing_remedy: str = "Set RUSHES_PASSWORD to one of at least 10 characters and start again with --lan."
    short: str = "That password is shorter than {least} characters."
    short_remedy: str = "Choose a longer one; a few words are fine."
    nowhere: str = "This computer is on no home network that the studio could be shared on."
    nowhere_remedy: str = "Connect it to your network, or start without --lan."
    asked: str = "The password of this studio, please."
    shared: str = "Shared on your home network, with a password: {urls}"
    banner: str = "Shared on your home network"
