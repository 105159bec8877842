"""Rows 30, 40, 41 over the real server: what is sent raw, byte for byte, and what comes back."""

import json
import socket
import time
from collections.abc import Iterable, Iterator

import pytest

from portal.headers import CONTENT_POLICY
from portal.views.transport import MAX_BODY_BYTES
from tests.journeys.conftest import Portal

CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = Portal(tmp_path_factory.mktemp("real") / "instance")
    made.command("init")
    made.serve()
    yield made
    made.stop()


def send(
    portal: Portal, line: str, headers: str = "", body: Iterable[bytes] = (), *, host: str | None = None
) -> str:
    """The head of the answer to a raw request, while it is still being sent if the server answers earlier."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=10) as wire:
        named = f"localhost:{portal.port}" if host is None else host
        wire.sendall(f"{line} HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n{headers}\r\n".encode())
        try:
            for piece in body:
                wire.sendall(piece)
        except OSError:
            pass  # the server has answered and closed: that is what is read now
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = wire.recv(65536)
            if not piece:
                break
            answer += piece
    return answer.partition(b"\r\n\r\n")[0].decode()


def status(answer: str) -> int:
    return int(answer.split()[1])


def test_row_40_a_chunked_body_over_the_limit_is_refused_not_cut(served: Portal) -> None:
    headers = f"{FORM}Transfer-Encoding: chunked\r\n"
    for chunks in (MAX_BODY_BYTES // 65536 + 1, 320):
        answer = send(served, "POST /sign-in", headers, [*[CHUNK] * chunks, b"0\r\n\r\n"])
        assert status(answer) == 413, chunks
    few = send(served, "POST /sign-in", headers, [CHUNK, b"0\r\n\r\n"])
    assert status(few) == 400, "only its token is missing"


def test_row_40_a_body_that_says_it_is_20_mb_is_refused_at_once(served: Portal) -> None:
    began = time.monotonic()
    answer = send(
        served, "POST /sign-in", f"{FORM}Content-Length: {20 * 1024 * 1024}\r\n", [b"x" * 65536] * 320
    )
    assert status(answer) == 413
    assert time.monotonic() - began < 5


def test_row_40_fifty_thousand_fields_are_refused(served: Portal) -> None:
    body = b"&".join(b"f%d=1" % number for number in range(50_000))
    assert status(send(served, "POST /sign-in", f"{FORM}Content-Length: {len(body)}\r\n", [body])) == 413


def test_row_41_a_forged_host_is_refused(served: Portal) -> None:
    for host in ("evil.example", f"localhost.evil.example:{served.port}", "localhost@evil.example"):
        answer = send(served, "GET /your-devices", host=host)
        assert status(answer) == 400, host
        assert "evil" not in answer
    forged = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 9.9.9.9\r\n"
    answer = send(served, "GET /your-devices", forged)
    assert status(answer) == 303
    assert "location: /sign-in\r\n" in f"{answer.lower()}\r\n"


def test_row_30_every_answer_of_the_server_carries_the_headers(served: Portal) -> None:
    lines = (
        "GET /sign-in",
        "GET /nothing",
        "GET /static/nothing.js",
        "PUT /sign-in",
        "TRACE /",
        "POST /sign-in",
        "HEAD /sign-in",
    )
    for line in lines:
        answer = send(
            served, line, "Content-Length: 0\r\n" if line.startswith(("POST", "PUT")) else ""
        ).lower()
        for header in (
            f"content-security-policy: {CONTENT_POLICY}",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ):
            assert header in answer, f"{line}: {header}"


def test_row_32_the_servers_log_names_no_address_and_no_token(served: Portal) -> None:
    secrets = ("tokenthatsignsin" * 2, "ana.secret@council.example", "Findable")
    for address in (
        f"/sign-in/l/{secrets[0]}",
        f"/calendar/{secrets[0]}.ics",
        f"/sign-in?to={secrets[1]}",
        f"/team/people?q={secrets[2]}",
    ):
        send(served, f"GET {address}")
    log = (served.folder / "serve.log").read_text()
    for secret in secrets:
        assert secret not in log


def test_row_47_every_line_of_the_servers_log_is_one_of_ours(served: Portal) -> None:
    agent = "User-Agent: Mozilla \x85\u2028\x9b31m Findable\r\n"
    assert status(send(served, "GET /sign-in", agent)) == 200
    for _ in range(50):
        log = (served.folder / "serve.log").read_text()
        lines = [json.loads(line) for line in log.splitlines() if line[:1] != "h"]
        answered = [line for line in lines if line["event"] == "page.answered"]
        if answered[-1]["page"] == "account.sign_in":
            break
        time.sleep(0.1)  # the line is written when the answer has left
    assert answered[-1]["page"] == "account.sign_in"
    assert answered[-1]["browser"] == "A browser"
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "Findable" not in (served.folder / "serve.log").read_text()
