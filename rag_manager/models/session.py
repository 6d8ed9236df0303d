"""Run the built sentence model: one text's token ids in, one vector out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class Session:
    """An ONNX Runtime session that computes on the calling thread; several threads may run it at once."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # texts side by side use the cores better than one text spread over them
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena keeps what its largest text needed for ever
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def vector(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return shape (384,), length 1, for token ids with [CLS] and [SEP]."""
        return np.asarray(self._session.run(["vector"], {"ids": np.array([ids], np.int64)})[0][0], np.float32)
