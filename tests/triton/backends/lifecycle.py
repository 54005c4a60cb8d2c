"""A python-backend model for tests that sleeps for SECONDS, and writes a line when it is finalized."""

import json
import time
from pathlib import Path

import triton_python_backend_utils as pb


class TritonPythonModel:
    def initialize(self, args):
        parameters = json.loads(args["model_config"])["parameters"]
        self.diary = Path(parameters["diary"]["string_value"])

    def execute(self, requests):
        answers = []
        for request in requests:
            seconds = pb.get_input_tensor_by_name(request, "SECONDS").as_numpy()
            time.sleep(float(seconds.max()))
            answers.append(pb.InferenceResponse([pb.Tensor("SLEPT", seconds)]))
        return answers

    def finalize(self):
        with self.diary.open("a") as diary:
            diary.write("finalized\n")
