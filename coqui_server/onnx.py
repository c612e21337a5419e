"""How onnxruntime runs our models: one thread for each call, so that calls run side by side."""

import onnxruntime


def session(model: str | bytes) -> onnxruntime.InferenceSession:
    """A model from a file or from its content. Many threads may run it at the same time.

    Raises onnxruntime's errors, which have no common base but Exception.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options)
