"""The page that Prometheus reads."""

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from acmx.domain.errors import AcmxError
from acmx.faces.problems import application, problem
from acmx.flows.house import House
from acmx.storage.engine import Store
from acmx.telemetry.metrics import Metrics
from acmx.telemetry.standing import Parts, Standing


def app(metrics: Metrics, house: House, store: Store, parts: Parts) -> Starlette:
    """GET /metrics."""

    async def show(_request: Request) -> Response:
        try:
            standing = await store.read(lambda tx: Standing(house, tx, parts))
        except AcmxError as error:
            return problem(error)
        text = generate_latest(metrics.registry) + generate_latest(standing)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return application([Route("/metrics", show, methods=["GET"])])
