"""The pages of a stack, served from within a test, so that its clock can be moved on under a browser that is open."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from werkzeug.serving import make_server

from tests.conftest import Stack
from tests.pages_client import PageClient


class Served:
    """The pages of a stack, served on a free port by threads of this process.

    `pause` says for how many seconds a request is held up, as on a slow line.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.pause: Callable[[dict[str, Any]], float] = lambda environ: 0.0
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://localhost:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        time.sleep(self.pause(environ))
        return self.stack.app(environ, start_response)

    def cookie(self, person_id: UUID) -> Any:
        """Signs a browser in without the mail, as if somebody had come the whole way."""
        client = PageClient(self.stack.app, self.stack.instance).sign_in(person_id)
        cookie = client.http.get_cookie("sid")
        assert cookie is not None
        return {"name": "sid", "value": cookie.value, "url": self.url, "httpOnly": True}

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
