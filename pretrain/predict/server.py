"""Serve the web page of `python -m pretrain predict --serve`, for people on this machine alone.

The server listens on 127.0.0.1 only. It answers only requests for that name or `localhost`, so that
no other site's name can be pointed at it (DNS rebinding), and only JSON of its own pages, which
another site's page cannot send. The page loads nothing from other servers.

    GET /               the page, with the files that it names
    GET /api/model      -> {"model", "ratio", "above"}: its name and the command's thresholds
    POST /api/predict   {"text", and if wanted "ratio", "above"} -> {"sentences": as `predict` says}
"""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, NoReturn, Optional, Tuple

import data_gen.shared
from data_gen.shared.errors import UserError
from pretrain.predict.correct import Threshold
from pretrain.predict.predictor import Predictor

HOST = "127.0.0.1"
PORT = 8000
LARGEST = 64 << 10  # bytes of a request
_SECONDS = 30  # that a client may be silent

_WEB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "web")
_LOOK = os.path.join(os.path.dirname(os.path.abspath(data_gen.shared.__file__)), "web")
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_FILES = {
    "/": os.path.join(_WEB, "index.html"),
    "/look.css": os.path.join(_LOOK, "look.css"),
    "/page.css": os.path.join(_WEB, "page.css"),
    "/language.js": os.path.join(_LOOK, "language.js"),
    "/sentences.js": os.path.join(_WEB, "sentences.js"),
    "/page.js": os.path.join(_WEB, "page.js"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingHTTPServer):
    """A predictor behind a page. One request at a time runs the model.

    Raises UserError if the port cannot be used.
    """

    daemon_threads = True  # a slow client does not hold up the end

    def __init__(self, predictor: Predictor, name: str, threshold: Threshold, port: int) -> None:
        self.predictor, self.name, self.threshold = predictor, name, threshold
        self.lock = threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise UserError(
                f"port {port} cannot be used ({error.strerror}): choose another --port, or 0 for "
                "a free one"
            ) from error

    @property
    def address(self) -> str:
        """The URL to open in a browser."""
        return f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about a client that is gone or silent."""


class _RefusalError(Exception):
    """A refused request, with its status and the reason in a sentence."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _SECONDS
    server_version = "pretrain"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._page)

    def do_POST(self) -> None:
        self._answer(self._predict)

    def log_message(self, *args: Any) -> None:
        """Log nothing: the requests hold people's texts."""

    def _answer(self, respond: Callable[[], Tuple[str, bytes]]) -> None:
        try:
            self._require_local()
            status, kind, body = 200, *respond()
        except _RefusalError as refused:
            status, kind, body = refused.status, *_as_json({"error": str(refused)})
        except Exception as error:
            reason = f"unexpected {type(error).__name__}: {error}"
            print(f"error: {reason}", file=sys.stderr)
            status, kind, body = 500, *_as_json({"error": reason})
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _require_local(self) -> None:
        port = self.server.server_port
        names = [f"{host}:{port}" for host in (HOST, "localhost")]
        if self.headers.get("Host") not in names:
            raise _RefusalError(421, f"this page is {self.server.address} and no other")
        origin = self.headers.get("Origin")
        if origin and origin not in [f"http://{name}" for name in names]:
            raise _RefusalError(403, "this page answers no other page")

    def _page(self) -> Tuple[str, bytes]:
        path = self.path.split("?")[0]
        if path == "/api/model":
            return _as_json({"model": self.server.name, **self.server.threshold._asdict()})
        if path not in _FILES:
            raise _RefusalError(404, "there is nothing here")
        with open(_FILES[path], "rb") as handle:
            return _KINDS[os.path.splitext(_FILES[path])[1]], handle.read()

    def _predict(self) -> Tuple[str, bytes]:
        if self.path != "/api/predict":
            raise _RefusalError(404, "there is nothing here")
        text, threshold = self._request()
        with self.server.lock:
            sentences = list(self.server.predictor(text.split("\n"), threshold))
        return _as_json({"model": self.server.name, "sentences": sentences, **threshold._asdict()})

    def _request(self) -> Tuple[str, Threshold]:
        """Parse a request. Raises _RefusalError for a malformed one."""
        if self.headers.get_content_type() != "application/json":
            raise _RefusalError(415, "send application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise _RefusalError(411, "say how long the request is: Content-Length")
        if int(length) > LARGEST:
            self.close_connection = True
            raise _RefusalError(413, f"the text is too long: at most {LARGEST >> 10} KB at a time")
        try:
            asked = json.loads(self.rfile.read(int(length)).decode("utf-8"))
            threshold = self.server.threshold
            found = Threshold(
                *(float(asked.get(name, default)) for name, default in threshold._asdict().items())
            )
            asked["text"].encode("utf-8")  # half a character cannot be encoded
            if not found.is_valid():
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _RefusalError(
                400, 'send {"text": "...", "ratio": at least 1, "above": from 0 to 1}'
            ) from error
        return asked["text"], found


def _as_json(value: Dict[str, Any]) -> Tuple[str, bytes]:
    return "application/json", json.dumps(value, ensure_ascii=False).encode()


def serve(
    predictor: Predictor, name: str, threshold: Threshold, port: Optional[int] = None
) -> None:
    """Serve the page until Ctrl-C or SIGTERM; its address is printed once it answers.

    name: of the model, for people
    """
    with Server(predictor, name, threshold, PORT if port is None else port) as server:
        list(predictor(["你好。"], threshold))  # compiles, so that the first answer is fast
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            print(f"{server.address} (Ctrl-C ends it)", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
