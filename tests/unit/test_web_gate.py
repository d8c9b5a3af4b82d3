"""The gate: hosts, sites, tokens, headers; and pages that bring nothing from elsewhere."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support import asgi
from tests.support.small_node import SmallNode
from veridict.apps.web.app import STATIC, create_app
from veridict.core.errors import BadInput

TOKEN = "a-token-of-some-length"


@pytest.fixture
def client() -> httpx.Client:
    app = create_app(SmallNode(), token=TOKEN, hosts=["Node.Example"])
    return asgi.client(app)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:9", "localhost", "LOCALHOST:80", "[::1]:8080", "node.example:443"],
)
def test_known_hosts_are_served(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8080",
        "",
        "[::2]",
        "[",
        "::1",
    ],
)
def test_rebound_hosts_are_not(client: httpx.Client, host: str) -> None:
    for path in ("/", "/health", "/api/status", "/api/events"):
        reply = client.get(path, headers={"host": host})
        assert (reply.status_code, reply.json()["error"]) == (421, "not-allowed")


def test_another_site_may_not_use_the_api(client: httpx.Client) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    assert client.get("/api/status", headers=cross).status_code == 403
    assert client.get("/", headers=cross).status_code == 200  # a link from elsewhere is fine
    assert client.get("/api/status", headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert "access-control-allow-origin" not in client.get("/api/status").headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "MADEUP"])
@pytest.mark.parametrize("path", ["/api/predictions", "/api/cases/0/release", "/", "/nowhere"])
def test_every_changing_method_asks_for_the_token(
    client: httpx.Client, method: str, path: str
) -> None:
    reply = client.request(method, path)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["remedy"]


@pytest.mark.parametrize(
    "given",
    ["Bearer", "Bearer ", "Basic YTpi", TOKEN, f"Token {TOKEN}"],
)
def test_no_bearer_is_401(client: httpx.Client, given: str) -> None:
    reply = client.post("/api/predictions", headers={"authorization": given})
    assert reply.status_code == 401


@pytest.mark.parametrize("given", ["wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\u00e9"])
def test_a_wrong_token_is_403_and_not_repeated(client: httpx.Client, given: str) -> None:
    headers = {b"authorization": f"Bearer {given}".encode("latin-1")}
    reply = client.post("/api/predictions", headers=headers)
    assert reply.status_code == 403
    assert TOKEN not in reply.text


def test_a_node_without_a_token_is_not_served() -> None:
    with pytest.raises(BadInput, match="no token"):
        create_app(SmallNode(), token="")


def test_every_answer_carries_the_headers(client: httpx.Client) -> None:
    for path in ("/", "/js/main.js", "/api/status", "/nowhere", "/openapi.json"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
    refused = client.get("/", headers={"host": "evil.example"})
    assert "content-security-policy" in refused.headers


@pytest.mark.parametrize(
    "path", ["/../app.py", "/..%2fapp.py", "/%2e%2e/security.py", "/js/..%5c..%5capp.py"]
)
def test_nothing_outside_the_pages_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_pages_name_no_other_host_and_no_parser_of_html() -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert len(files) > 15
    for path in files:
        text = path.read_text()
        addresses = set(re.findall(r"https?://[^\s\"'<>]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), path
        if path.suffix == ".html":
            assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text), path


def test_every_part_of_the_page_is_there(client: httpx.Client) -> None:
    page = client.get("/").text
    for name in re.findall(r'(?:src|href)="([\w./]+)"', page):
        assert client.get(f"/{name}").status_code == 200, name
