"""What the stand-in of each service answers."""

from typing import Any

from tests.support.remote_service import Reply, answer


def replies(engine: str, text: str, duration: float = 0.1) -> list[Reply]:
    """What the service answers to each request of a transcription with this text.

    Its words share the duration (seconds) of the sound evenly, where it tells words.
    """
    match engine:
        case "openai":
            said: dict[str, Any] = {
                "task": "transcribe",
                "language": "english",
                "duration": duration,
            }
            return [answer(200, {**said, "text": text, "words": _words(text, duration)})]
        case "deepgram":
            alternative = {"transcript": text, "confidence": 0.9, "words": _words(text, duration)}
            channels = [{"alternatives": [alternative]}]
            return [answer(200, {"metadata": {}, "results": {"channels": channels}})]
        case "scribe":
            return [
                answer(200, {"files": [{"url": "https://storage.example/a.wav"}]}),
                answer(201, {"id": "task-1"}),
                answer(200, {"status": "RUNNING"}),
                answer(200, {"status": "COMPLETED", "generations": [{"content": text}]}),
            ]
        case "eboo":
            return [
                answer(200, {"FileToken": "file-1"}),
                answer(200, {"Status": "Started"}),
                answer(200, {"Status": "Working", "Output": ""}),
                answer(200, {"Status": "ConvertFinished", "Output": text}),
            ]
    result = {"data": {"status": "success", "data": {"aiResponse": {"result": {"text": text}}}}}
    return [answer(200, result)]


def _words(text: str, duration: float) -> list[dict[str, Any]]:
    words = text.split()
    step = duration / max(1, len(words))
    return [
        {"word": word, "start": index * step, "end": (index + 1) * step, "confidence": 0.9}
        for index, word in enumerate(words)
    ]
