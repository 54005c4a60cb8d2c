"""A python-backend model for tests: Y = 2 X, for any type of number."""

import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        answers = []
        for request in requests:
            x = pb.get_input_tensor_by_name(request, "X").as_numpy()
            answers.append(pb.InferenceResponse([pb.Tensor("Y", (x * 2).astype(x.dtype))]))
        return answers
