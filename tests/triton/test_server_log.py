from __future__ import annotations

from w251lab.triton.server_log import complaints

HEALTHY = 'I1120 14:54:24.508326 7 grpc_server.cc:2558] "Started GRPCInferenceService at 127.0.0.1:43009"\n'
FAILED = (
    HEALTHY
    + "E1120 15:02:17.123456 7 model_lifecycle.cc:642] \"failed to load 'a' version 1: Internal: no such file\"\n"
    + "| a     | 1       | UNAVAILABLE: Internal: no such file |\n"
    + "error: creating server: Internal - failed to load all models\n"
)


def test_the_errors_are_given_without_their_prefix() -> None:
    text = complaints(FAILED)
    assert "failed to load 'a' version 1: Internal: no such file" in text
    assert "model_lifecycle" not in text
    assert "GRPCInferenceService" not in text


def test_a_line_is_said_once() -> None:
    assert complaints(FAILED + FAILED).count("failed to load 'a'") == 1


def test_without_errors_the_last_lines_are_given() -> None:
    assert "GRPCInferenceService" in complaints(HEALTHY)


def test_there_are_not_more_than_asked_for() -> None:
    assert len(complaints(HEALTHY * 50, limit=3).splitlines()) == 3


def test_an_empty_log() -> None:
    assert complaints("\n \n") == "  (nothing)"


def test_what_every_server_without_a_gpu_says_is_left_out() -> None:
    text = complaints('E1120 15:27:26.979954 7 server.cc:241] "CudaDriverHelper has not been initialized."\n' + FAILED)
    assert "CudaDriverHelper" not in text


def test_of_the_manual_after_a_wrong_argument_only_the_reason_is_given() -> None:
    log = "tritonserver: unrecognized option '--coffee'\nUsage: tritonserver [options]\n  --help\n\tPrint usage\n"
    assert complaints(log) == "  tritonserver: unrecognized option '--coffee'"


def test_the_place_of_a_mistake_in_a_configuration_is_given() -> None:
    assert complaints("[libprotobuf ERROR a/b.cc:337] Error parsing: 1:23: no field named bakend.\n") == (
        "  Error parsing: 1:23: no field named bakend."
    )
