"""A small hub on this computer that speaks the Hugging Face Hub's protocol, with every way a real one goes wrong.

The real huggingface_hub talks to it (HF_ENDPOINT). Large files answer with a redirect to a signed, expiring address on
another port, as the hub's content network does; small ones come at once.

    with Hub() as hub:
        hub.add("someone/model", {"config.json": b"{}", "model.safetensors": weights}, large=(".safetensors",))
        ... HF_ENDPOINT=hub.url ...
        hub.faults["model.safetensors"] = [Drop(after=1000), Status(500)]      # the next two requests for it
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_faults import Drop, Endless, Fault, NoRange, Repo, Seen, Stall, Status, Wrong


class Hub:
    """`rate`: bytes a second for each connection, 0 = as fast as it goes. `on_sent` is told of every byte sent."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.seen: list[Seen] = []
        self.tokens: dict[str, str] = {}
        self.rate = 0
        self.on_sent: Callable[[int], None] = lambda count: None
        self.signatures: dict[str, tuple[Repo, str]] = {}
        self._servers = [_serve(self, _Front), _serve(self, _Content)]
        self.url, self.content_url = (f"http://localhost:{server.server_port}" for server in self._servers)

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add(self, name: str, files: dict[str, bytes], large: tuple[str, ...] = (".safetensors",)) -> Repo:
        digest = hashlib.sha1(b"".join(sorted(key.encode() + value[:64] for key, value in files.items())))
        self.repos[name] = Repo(dict(files), large, digest.hexdigest())
        return self.repos[name]

    def sent(self, name: str = "") -> int:
        """Bytes of content that left, of files whose name ends so."""
        return sum(seen.sent for seen in self.seen if seen.name.endswith(name))


class _Server(ThreadingHTTPServer):
    hub: Hub
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many tests are about."""


def _serve(hub: Hub, handler: type[BaseHTTPRequestHandler]) -> _Server:
    server = _Server(("127.0.0.1", 0), handler)
    server.hub = hub
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def hub(self) -> Hub:
        return self.server.hub

    @property
    def token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self, name: str, body: bytes, **headers: str) -> None:
        """A file, or the rest of it, or what a fault makes of it."""
        faults = self.hub.faults[name]
        fault = faults.pop(0) if faults and self.command == "GET" else None
        if isinstance(fault, Status):
            return self.answer(fault.code, b"sorry")
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        start = int(asked[1]) if asked and not isinstance(fault, NoRange) else 0
        if start and start >= len(body):
            return self.answer(416, Content_Range=f"bytes */{len(body)}")
        if isinstance(fault, Wrong):
            body = bytes(255 - byte for byte in body)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Accept-Ranges", "bytes")
        if isinstance(fault, Endless):
            self.send_header("Connection", "close")
            body += bytes(50_000_000)
        else:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.command == "GET":
            self._send(name, body, start, fault)
        return None

    def _send(self, name: str, body: bytes, start: int, fault: Fault | None) -> None:
        seen = Seen(name, start, self.headers.get("Authorization") or "")
        self.hub.seen.append(seen)
        end = min(start + fault.after, len(body)) if isinstance(fault, Drop | Stall) else len(body)
        piece = 16_384
        for offset in range(start, end, piece):
            chunk = body[offset : min(offset + piece, end)]
            self.wfile.write(chunk)
            seen.sent += len(chunk)
            self.hub.on_sent(len(chunk))
            if self.hub.rate:
                time.sleep(len(chunk) / self.hub.rate)
        if isinstance(fault, Stall):
            time.sleep(fault.seconds)
        if isinstance(fault, Drop | Stall | Endless):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)


class _Front(_Handler):
    """The hub's own host: the API, small files, redirects for large ones."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/api/whoami-v2":
            if self.token not in self.hub.tokens:
                return self.answer(401, b'{"error": "Invalid user token"}')
            who = {"type": "user", "name": self.hub.tokens[self.token],
                   "auth": {"accessToken": {"displayName": "test", "role": "read"}}}  # fmt: skip
            return self.answer(200, json.dumps(who).encode(), Content_Type="application/json")
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            return self._tree(match[1], match[2])
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+)|/(auth-check))?", path):
            return self._api(match[1], match[2], bool(match[3]))
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolve(match[1], match[2], match[3])
        return self.answer(404)

    def _repo(self, name: str, revision: str | None) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self.answer(401, b"{}", X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        elif revision not in (None, "main", repo.commit):
            self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
        else:
            return repo
        return None

    def _locked(self, repo: Repo) -> bool:
        if not repo.gated or self.token in repo.accepted:
            return False
        self.answer(403 if self.token else 401, b"{}", X_Error_Code="GatedRepo",
                    X_Error_Message="Access to this model is restricted.")  # fmt: skip
        return True

    def _api(self, name: str, revision: str | None, check: bool) -> None:
        repo = self._repo(name, revision)
        if repo is None:
            return
        if check:
            if not self._locked(repo):
                self.answer(200, b"{}")
            return
        listing = [
            {"rfilename": file, "size": len(body), "blobId": hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()}
            | ({"lfs": {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}}
               if repo.is_large(file) else {})
            | repo.listed.get(file, {})
            for file, body in repo.files.items()
        ]  # fmt: skip
        info = {"id": name, "sha": repo.commit, "siblings": listing, "gated": "auto" if repo.gated else False,
                "private": False, "cardData": {"license": "apache-2.0"}}  # fmt: skip
        self.answer(200, json.dumps(info).encode(), Content_Type="application/json")

    def _tree(self, name: str, revision: str) -> None:
        """The listing that `snapshot_download` uses."""
        repo = self._repo(name, revision)
        if repo:
            listing = [
                {"type": "file", "path": file, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                | ({"lfs": {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}}
                   if repo.is_large(file) else {})
                for file, body in repo.files.items()
            ]  # fmt: skip
            self.answer(200, json.dumps(listing).encode(), Content_Type="application/json")

    def _resolve(self, name: str, revision: str, file: str) -> None:
        repo = self._repo(name, revision)
        if repo is None or self._locked(repo):
            return None
        if file not in repo.files:
            return self.answer(404, b"", X_Error_Code="EntryNotFound")
        body = repo.files[file]
        sha1, sha256 = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest(), hashlib.sha256(body).hexdigest()
        if not repo.is_large(file):
            return self.content(file, body, X_Repo_Commit=repo.commit, ETag=f'"{sha1}"')
        signature = secrets.token_hex(8)
        self.hub.signatures[signature] = (repo, file)
        place = f"{self.hub.content_url}/repos/{sha256}?X-Amz-Expires=3600&X-Amz-Signature={signature}"
        return self.answer(302, b"", Location=place, X_Repo_Commit=repo.commit, X_Linked_Etag=f'"{sha256}"',
                           X_Linked_Size=str(len(body)), ETag=f'"{sha1}"')  # fmt: skip


class _Content(_Handler):
    """The content network: another host that must never see the token. Every signature works once."""

    def do_GET(self) -> None:
        signature = parse_qs(urlsplit(self.path).query).get("X-Amz-Signature", [""])[0]
        if signature not in self.hub.signatures:
            return self.answer(403, b"expired")
        repo, file = self.hub.signatures.pop(signature)
        return self.content(file, repo.files[file], ETag=f'"{hashlib.sha256(repo.files[file]).hexdigest()}"')
