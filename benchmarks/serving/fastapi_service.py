"""The peer: a plain FastAPI service of the same ONNX file; a row-major float32 body in, float32 scores out.

Run by uvicorn, with MODEL naming the file. Inference runs in the thread pool, one thread for each core, on one session
without threads of its own: the same division of the cores as the Triton contender's.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
import numpy as np
import onnxruntime
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
model_input = session.get_inputs()[0]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = len(os.sched_getaffinity(0))
    yield


app = FastAPI(lifespan=lifespan)


def predict(body: bytes) -> bytes:
    rows = np.frombuffer(body, np.float32).reshape(-1, *model_input.shape[1:])
    return session.run(None, {model_input.name: rows})[0].tobytes()


@app.post("/infer")
async def infer(request: Request) -> Response:
    return Response(await run_in_threadpool(predict, await request.body()), media_type="application/octet-stream")
