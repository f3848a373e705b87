"""The door, attacked by a real web page in a real browser: everything such a page can send without being asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Served

pytestmark = pytest.mark.slow

# What a page of another site, or of another port of this machine, can make a browser send.
ATTACKS = """
<!doctype html><title>evil</title><body>
<img src="{url}/media/take/last"><script src="{url}/config"></script><link rel="stylesheet" href="{url}/theme.css">
<iframe src="{url}/"></iframe><video src="{url}/media/clip/last"></video>
<iframe name="hole" sandbox="allow-forms allow-scripts" srcdoc="<script>
  fetch('{url}/gradio_api/queue/join', {{method: 'POST', mode: 'no-cors', body: '{{}}'}})</script>"></iframe>
<form id="form" method="post" action="{url}/gradio_api/run/preview" target="hole" enctype="text/plain">
<input name='{{"data": [' value=']}}'></form>
<script>
  const form = new FormData(); form.append('files', new Blob(['x']), 'x.mp4');
  const tries = [
    ['/gradio_api/upload', {{method: 'POST', mode: 'no-cors', body: form}}],
    ['/gradio_api/queue/join', {{method: 'POST', mode: 'no-cors', body: '{{"fn_index": 0}}'}}],
    ['/gradio_api/queue/join', {{method: 'POST', headers: {{'content-type': 'application/json'}}, body: '{{}}'}}],
    ['/config', {{}}], ['/config', {{credentials: 'include'}}], ['/gradio_api/info', {{}}], ['/', {{}}],
  ];
  new EventSource('{url}/gradio_api/queue/data?session_hash=x');
  const socket = new WebSocket('{url}'.replace('http', 'ws') + '/gradio_api/queue/join');
  socket.onopen = () => document.title = 'in';
  navigator.sendBeacon('{url}/gradio_api/reset', '{{}}');
  document.getElementById('form').submit();
  Promise.allSettled(tries.map(async ([path, options]) => {{
    const answer = await fetch('{url}' + path, options);
    if (answer.type !== 'opaque') document.title = 'read';
  }})).then(() => setTimeout(() => document.body.append('done'), 1500));
</script>
<a href="{url}">to the studio</a>
"""


@pytest.fixture
def evil(served: Served) -> Iterator[int]:
    """A web server with the attacking page; its port."""
    body = ATTACKS.format(url=served.url).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def _raw_statuses(page: Page, url: str) -> list[int]:
    """What the server answers to requests for `url`, also where the browser keeps the answer from the page."""
    statuses: list[int] = []
    asked: dict[str, str] = {}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    network.on(
        "Network.responseReceivedExtraInfo",
        lambda event: (
            statuses.append(event["statusCode"]) if asked.get(event["requestId"], "").startswith(url) else None
        ),
    )
    return statuses


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])  # same site with another port; another site
def test_a_foreign_page_gets_nothing_and_changes_nothing(
    browser: Browser, served: Served, evil: int, host: str
) -> None:
    page = browser.new_page()
    statuses = _raw_statuses(page, served.url)
    page.goto(f"http://{host}:{evil}/")
    expect(page.get_by_text("done")).to_be_visible(timeout=30_000)
    assert len(statuses) >= 8
    assert set(statuses) == {403}
    assert page.title() == "evil"
    page.get_by_role("link", name="to the studio").click()  # a link is a visit, and welcome
    expect(page.locator("#outlook .times")).to_be_visible(timeout=30_000)
    page.close()


def test_the_studio_works_under_its_other_name(browser: Browser, served: Served) -> None:
    page = browser.new_page()
    page.goto(served.url.replace("127.0.0.1", "localhost"))
    expect(page.locator("#outlook .times")).to_be_visible(timeout=30_000)
    page.close()
