"""The pages of a stack, served from within a test, so that its clock can be moved on under a browser that is open."""

import socket
import threading
import time
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session as DbSession
from werkzeug.serving import make_server

from portal.mailing import post
from tests.canary_walk import MailBag
from tests.conftest import Stack
from tests.pages_client import PageClient


class Cut(Enum):
    """Where the line is cut: before a request arrives, or before its answer does."""

    REQUEST = "request"
    ANSWER = "answer"


class Served:
    """The pages of a stack, served on a free port by threads of this process.

    `pause` says for how many seconds a request is held up, as on a slow line; `cut` whether the line is cut in the
    middle of it; `fails` whether a machine before the pages answers that they are away.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.bag = MailBag()
        self.pause: Callable[[dict[str, Any]], float] = lambda environ: 0.0
        self.cut: Callable[[dict[str, Any]], Cut | None] = lambda environ: None
        self.fails: Callable[[dict[str, Any]], bool] = lambda environ: False
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://localhost:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        time.sleep(self.pause(environ))
        if self.fails(environ):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
            return [b"away"]
        cut = self.cut(environ)
        if cut is Cut.REQUEST:
            raise _hung_up(environ)
        answer = self.stack.app(environ, start_response)
        if cut is not None:
            b"".join(answer)
            raise _hung_up(environ)
        return answer

    def cookie(self, person_id: UUID) -> Any:
        """Signs a browser in without the mail, as if somebody had come the whole way."""
        client = PageClient(self.stack.app, self.stack.instance).sign_in(person_id)
        cookie = client.http.get_cookie("sid")
        assert cookie is not None
        return {"name": "sid", "value": cookie.value, "url": self.url, "httpOnly": True}

    def deliver(self) -> None:
        """What the worker does each minute with the mail that waits."""
        sessions = partial(DbSession, self.stack.engine, info={"vault": self.stack.instance.vault})
        while post.deliver(self.stack.instance, sessions, self.bag):
            pass

    def mail(self, to: str, *, subject: str) -> str:
        """The text of the newest mail to an address whose subject holds these words, once what waits has gone."""
        self.deliver()
        found = [
            message
            for message in self.bag.messages
            if to in str(message["To"]) and subject in str(message["Subject"])
        ]
        body = found[-1].get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _hung_up(environ: dict[str, Any]) -> ConnectionAbortedError:
    """What the server is to hear once the browser has heard nothing more."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ConnectionAbortedError()
