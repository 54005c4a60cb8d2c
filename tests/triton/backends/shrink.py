"""The first step of an ensemble for tests: a picture of any size becomes a classifier's input, by nearest pixels."""

import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(pb.get_input_tensor_by_name(request, "RAW").as_numpy()) for request in requests]

    def answer(self, pictures):
        rows = np.arange(224) * pictures.shape[1] // 224
        columns = np.arange(224) * pictures.shape[2] // 224
        near = pictures[:, rows][:, :, columns].astype(np.float32)
        return pb.InferenceResponse([pb.Tensor("SMALL", ((near - 127) / 128).transpose(0, 3, 1, 2).copy())])
