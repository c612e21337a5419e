"""`/health…` for people and balancers, `/metrics` for Prometheus."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client.exposition import choose_encoder

from coqui_server.config.auth import AuthSettings
from coqui_server.rtp.listener import Listener
from coqui_server.transcription.readiness import ANSWERS, Answer
from coqui_server.transcription.service import Service
from coqui_server.web import metrics
from coqui_server.web.principals import SIGNED_IN


def router(service: Service, rtp: Listener, settings: AuthSettings) -> APIRouter:
    """The routes for monitors."""
    routes = APIRouter(tags=["monitoring"])
    registry = metrics.registry(service, rtp)

    def told(answer: Callable[[Service], Answer]) -> Callable[[], Awaitable[Response]]:
        async def tell() -> Response:
            status, content = answer(service)
            return JSONResponse(content, status)

        return tell

    for path, answer in ANSWERS.items():
        routes.get(path, name=path, description=answer.__doc__)(told(answer))

    secured = [] if settings.metrics else [SIGNED_IN]

    @routes.get("/metrics", response_class=Response, dependencies=secured)
    async def prometheus(request: Request) -> Response:
        """The same and more, with sums since the start, in Prometheus' text format."""
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), media_type=kind)

    return routes
