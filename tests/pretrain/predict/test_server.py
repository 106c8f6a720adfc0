import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

pytest.importorskip("tokenizers")
from data_gen.shared.errors import UserError
from pretrain.checkpoint.load import load_model
from pretrain.predict.correct import DEFAULT
from pretrain.predict.predictor import Predictor
from pretrain.predict.server import LARGEST, Server
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.small_model import write_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def server(folder):
    predictor = Predictor(load_model(folder), load_tokenizer(folder), 3)
    with Server(predictor, "small", DEFAULT, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, method="POST", path="/api/predict", body=None, **headers):
    """The status, the headers and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if method == "POST":
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def post(server, **request):
    status, _, body = ask(server, body=json.dumps(request))
    return status, json.loads(body)


def test_an_answer_is_what_predict_says(server):
    text = "天地[MASK]。人\n日[MASK][MASK]"
    status, found = post(server, text=text, ratio=1, above=0)
    assert status == 200
    rule = DEFAULT._replace(ratio=1, above=0)
    assert found["sentences"] == list(server.predictor(text.split("\n"), rule))
    assert [one["line"] for one in found["sentences"]] == [1, 1, 2]
    assert (found["model"], found["ratio"], found["above"]) == ("small", 1, 0)
    assert post(server, text="天")[1]["ratio"] == DEFAULT.ratio
    assert post(server, text=" ")[1]["sentences"] == []


def test_requests_at_once_are_each_answered(server):
    texts = [f"{'天' * n}[MASK]" for n in range(1, 9)]
    found = {}

    def one(text):
        found[text] = post(server, text=text)[1]["sentences"][0]["text"]

    threads = [threading.Thread(target=one, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {text: text for text in texts}


FILES = {
    "/": "text/html",
    "/look.css": "text/css",
    "/page.css": "text/css",
    "/language.js": "text/javascript",
    "/sentences.js": "text/javascript",
    "/page.js": "text/javascript",
}


@pytest.mark.parametrize(("path", "kind"), FILES.items())
def test_the_page_loads_nothing_from_elsewhere(server, path, kind):
    status, headers, body = ask(server, "GET", path)
    assert status == 200
    assert headers["Content-Type"].startswith(kind)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"https?://|innerHTML|<script>|<style>|style=", body)
    linked = set(re.findall(r'(?:src|href)="(/[^"]*)"', body))
    assert linked == (FILES.keys() - {"/"} if path == "/" else set())


def test_the_thresholds_of_the_command_are_told(server):
    status, _, body = ask(server, "GET", "/api/model")
    found = server.threshold
    assert (status, json.loads(body)) == (
        200,
        {"model": server.name, "ratio": found.ratio, "above": found.above},
    )


def test_it_listens_to_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    for host in ("127.0.0.1", "localhost"):
        assert ask(server, "GET", "/", Host=f"{host}:{server.server_port}")[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "example.org"}, 421),
        ({"Host": "example.org:{port}"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1.example.org:{port}"}, 421),
        ({"Host": "notlocalhost:{port}"}, 421),
        ({"Origin": "http://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_other_sites_are_refused(server, headers, status):
    headers = {k: v.format(port=server.server_port) for k, v in headers.items()}
    found, _, body = ask(server, body=b'{"text": "x"}', **headers)
    assert found == status
    assert list(json.loads(body)) == ["error"]


def test_the_pages_own_requests_are_not(server):
    origin = f"http://localhost:{server.server_port}"
    assert ask(server, body=b'{"text": ""}', Origin=origin)[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b"{}",
        b'{"text": 1}',
        b'{"text": null}',
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b'{"text": "", "ratio": "x"}',
        b'{"text": "", "ratio": 0.5}',
        b'{"text": "", "ratio": NaN}',
        b'{"text": "", "ratio": Infinity}',
        b'{"text": "", "above": 2}',
        b'{"text": "", "above": [1]}',
        b"[" * 50000,
    ],
)
def test_a_wrong_request_is_told_what_is_right(server, body):
    status, _, answer = ask(server, body=body)
    assert status == 400
    assert json.loads(answer)["error"].startswith('send {"text": "..."')


def test_what_is_too_long_or_of_no_length_is_refused(server):
    status, _, body = ask(server, Content_Length=str(LARGEST + 1))
    assert (status, "at most 64 KB" in body) == (413, True)
    assert ask(server, Content_Length="-1")[0] == 411
    assert ask(server, Content_Length="many")[0] == 411
    assert post(server, text="天" * 10000)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/../serve.py", 404),
        ("GET", "/api/predict", 404),
        ("POST", "/", 404),
        ("DELETE", "/", 501),
    ],
)
def test_there_is_nothing_else(server, method, path, status):
    assert ask(server, method, path, body=b"{}" if method == "POST" else None)[0] == status


def test_a_client_that_goes_away_does_no_harm(server, capfd):
    client = socket.create_connection(("127.0.0.1", server.server_port))
    client.sendall(b"POST /api/predict HTTP/1.1\r\nContent-Le")
    client.close()
    assert post(server, text="天")[0] == 200
    assert capfd.readouterr().err == ""


def test_what_goes_wrong_within_is_told(server, monkeypatch, capfd):
    def broken(lines, rule):
        raise RuntimeError("out of pieces")

    monkeypatch.setattr(server, "predictor", broken)
    status, found = post(server, text="天")
    assert (status, found) == (500, {"error": "unexpected RuntimeError: out of pieces"})
    assert "out of pieces" in capfd.readouterr().err


def test_a_taken_port_is_one_sentence(server):
    with pytest.raises(UserError, match=r"cannot be used \(.*in use\): choose another --port"):
        Server(server.predictor, "small", DEFAULT, server.server_port)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(folder, stop):
    command = [sys.executable, "-m", "pretrain", "predict", "--model", folder, "--serve"]
    with subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        # The shell may ignore Ctrl-C for what runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        address = process.stdout.readline().decode()
        assert re.match(r"http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)$", address)
        process.send_signal(stop)
        output, error = process.communicate(timeout=30)
    assert process.returncode == 0
    assert output.decode() == "stopped\n"
    assert "Traceback" not in error.decode()
