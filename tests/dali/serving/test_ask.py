from __future__ import annotations

import http.server
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from w251lab.dali import serving
from w251lab.dali.serving import ask
from w251lab.errors import UsageError, W251Error
from w251lab.triton import server
from w251lab.triton.errors import InferenceFailedError, ServerUnavailableError, UnknownModelError
from w251lab.triton.models import packaged

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.triton.client import Protocol
    from w251lab.triton.embedded import EmbeddedServer

WAYS = [(way, protocol) for way in get_args(ask.Way) for protocol in ("http", "grpc")]


@pytest.fixture(scope="module")
def expected(running: EmbeddedServer, contents: list[bytes]) -> list[serving.Answer]:
    return serving.client_side(running, contents, top_k=3)


@pytest.mark.parametrize(("way", "protocol"), WAYS)
def test_each_way_gives_the_classes_of_the_reference_path(
    way: ask.Way, protocol: Protocol, running: EmbeddedServer, contents: list[bytes], expected: list[serving.Answer]
) -> None:
    answers = serving.classify(running, contents, way=way, protocol=protocol, top_k=3, batch_size=4)
    labels = packaged("efficientnet_lite0").labels()
    for answer, reference in zip(answers, expected, strict=True):
        assert answer.ok
        assert len(answer.classes) == 3
        assert answer.best.index == reference.best.index
        assert answer.best.label == labels[answer.best.index]
        assert answer.best.score == pytest.approx(reference.best.score, abs=0.02)
        assert list(answer.classes) == sorted(answer.classes, reverse=True)


@pytest.mark.parametrize("how", WAYS)
def test_each_broken_picture_has_its_own_error_and_the_server_goes_on(
    how: tuple[ask.Way, Protocol],
    running: EmbeddedServer,
    contents: list[bytes],
    undecodable: dict[str, tuple[bytes, str]],
    padded_undecodable: dict[str, tuple[bytes, str]],
) -> None:
    way, protocol = how
    broken = padded_undecodable if way == "padded" else undecodable
    assert len(broken) >= 20
    mixed = [item for content, _ in broken.values() for item in (content, contents[0])]
    answers = serving.classify(running, mixed, way=way, protocol=protocol)
    for (name, (_, reason)), answer in zip(broken.items(), answers[::2], strict=True):
        assert not answer.ok, name
        assert reason in answer.error, name
        assert answer.classes == ()
        with pytest.raises(W251Error, match="the picture has no class"):
            _ = answer.best
    (label,) = {answer.best.label for answer in answers[1::2]}
    assert serving.classify(running, [contents[0]])[0].best.label == label
    with running.client() as client:
        assert {status.state for status in client.models()} == {"READY"}


def test_a_broken_picture_has_no_score_and_no_class_for_a_client_that_ignores_the_error(
    running: EmbeddedServer, contents: list[bytes]
) -> None:
    batch = serving.padded([contents[0], b"text", contents[1]])
    with running.client() as client:
        scores = client.infer("efficientnet_ensemble", {"INPUT": batch}, outputs=["OUTPUT"])["OUTPUT"]
        assert np.isnan(scores).all(axis=1).tolist() == [False, True, False]
        assert np.isfinite(scores[[0, 2]]).all()
        classes = client.infer("efficientnet_ensemble", {"INPUT": batch}, outputs=["OUTPUT"], top_k=2)["OUTPUT"]
    assert [entry.startswith(b"nan:") for entry in classes[1]] == [True, True]


def test_pictures_of_different_lengths_are_joined_into_batches(tmp_path: Path, contents: list[bytes]) -> None:
    # Long enough for eight clients to come together on a busy machine.
    folder = serving.write(tmp_path, serving.Service(max_queue_delay_us=200_000))
    assert len({len(content) for content in contents}) == len(contents)
    with server.start(folder) as started:
        serving.classify(started, contents[:8] * 2, concurrency=8)
        with started.client() as client:
            first, second, whole = (
                client.statistics(name) for name in ("preprocessing", "efficientnet_lite0", "efficientnet_ensemble")
            )
            assert first.inferences == second.inferences == 16
            assert first.average_batch > 1.5
            assert max(first.batches) > 1
            # An ensemble is not joined: its steps are.
            assert (whole.inferences, whole.executions) == (16, 16)
            before = first.executions
            serving.classify(started, contents[:8], way="padded", batch_size=8)
            assert client.statistics("preprocessing").executions == before + 1
            assert 8 in client.statistics("preprocessing").batches


def test_eight_clients_at_once_get_their_own_answers(running: EmbeddedServer, contents: list[bytes]) -> None:
    alone = [answer.best.index for answer in serving.classify(running, contents, concurrency=1)]
    orders = [np.random.default_rng(seed).permutation(len(contents)).tolist() for seed in range(8)]

    def client(order: list[int]) -> list[int]:
        given = [contents[index] for index in order]
        return [answer.best.index for answer in serving.classify(running, given, concurrency=1)]

    with ThreadPoolExecutor(8) as threads:
        for order, found in zip(orders, threads.map(client, orders), strict=True):
            assert found == [alone[index] for index in order]


def test_files_read_by_numpy_are_taken_as_they_are(
    running: EmbeddedServer, contents: list[bytes], tmp_path: Path
) -> None:
    file = tmp_path / "a picture.jpg"
    file.write_bytes(contents[0])
    for way in get_args(ask.Way):
        answers = serving.classify(running, [np.fromfile(file, np.uint8), memoryview(contents[0])], way=way)
        assert answers[0] == answers[1] == serving.classify(running, contents[:1], way=way)[0]


def test_what_is_not_the_bytes_of_pictures_is_refused(no_pictures: tuple[Any, str], running: EmbeddedServer) -> None:
    given, word = no_pictures
    with pytest.raises(UsageError, match=word):
        serving.classify(running, given)


@pytest.mark.parametrize(
    "arguments",
    [{"way": "fax"}, {"top_k": 0}, {"concurrency": 0}, {"concurrency": 1000}, {"batch_size": 0}, {"protocol": "ftp"}],
)
def test_arguments_that_cannot_be_meant_are_refused(
    arguments: dict[str, Any], running: EmbeddedServer, contents: list[bytes]
) -> None:
    with pytest.raises(UsageError):
        serving.classify(running, contents[:1], **arguments)


def test_more_pictures_than_the_server_takes_in_a_request(running: EmbeddedServer, contents: list[bytes]) -> None:
    with pytest.raises(UsageError, match="batch of 17"):
        serving.classify(running, contents[:1] * 17, way="padded", batch_size=17)


@pytest.mark.parametrize("way", ["single", "raw"])
def test_another_model_is_an_error_and_no_answer(way: ask.Way, running: EmbeddedServer, contents: list[bytes]) -> None:
    with pytest.raises((UnknownModelError, InferenceFailedError), match="no_such_model"):
        serving.classify(running, contents[:1], way=way, model="no_such_model")


@pytest.mark.parametrize("way", get_args(ask.Way))
def test_a_server_that_is_gone_is_an_error_and_no_answer(way: ask.Way, contents: list[bytes]) -> None:
    gone = server.Server("127.0.0.1:9", "127.0.0.1:9", "127.0.0.1:9")
    with pytest.raises(ServerUnavailableError):
        serving.classify(gone, contents[:2], way=way)


class _Moody(http.server.BaseHTTPRequestHandler):
    """Stalls at the first request, answers the second without Triton's header, and hands on the others."""

    protocol_version = "HTTP/1.1"
    triton = ""
    asked = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = type(self)
        kind.asked += 1
        if kind.asked == 1:
            time.sleep(1.5)
            return
        connection = HTTPConnection(kind.triton, timeout=60)
        connection.request("POST", self.path, body, {"Inference-Header-Content-Length": "0"})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(said)))
        if kind.asked > 2:
            self.send_header("Inference-Header-Content-Length", answer.headers["Inference-Header-Content-Length"])
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_words: object) -> None:
        pass


def test_a_request_that_failed_does_not_break_the_next_one(running: EmbeddedServer, contents: list[bytes]) -> None:
    handler = type("Moody", (_Moody,), {"triton": running.http})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        serving_it = threading.Thread(target=proxy.serve_forever)
        serving_it.start()
        between = server.Server(f"127.0.0.1:{proxy.server_port}", running.grpc, running.metrics)
        try:
            with serving.EncodedClients(between, way="raw", concurrency=1, timeout=0.5) as clients:
                with pytest.raises(W251Error, match=r"time|Time"):
                    clients.classify(contents[:1])
                (connection,) = [one for one in clients._open if isinstance(one, HTTPConnection)]
                connection.timeout = 60.0
                with pytest.raises(InferenceFailedError, match="without Inference-Header-Content-Length"):
                    clients.classify(contents[:1])
                assert clients.classify(contents[:1]) == serving.classify(running, contents[:1], way="raw")
        finally:
            proxy.shutdown()
            serving_it.join()
