"""The metrics the services share: their names are a contract, listed in docs/operating.md."""

import time

import psutil
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# 2 s is a bucket of its own: the latency alert asks how many requests took longer.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

http_seconds = Histogram(
    "repostream_http_request_seconds",
    "How long requests took, by route (never by path) and status class.",
    ("method", "route", "status"),
    buckets=_SECONDS,
)
search_seconds = Histogram("repostream_search_seconds", "How long a search took.", buckets=_SECONDS)
# By OpenTelemetry's GenAI conventions, as Prometheus writes their names.
_MODEL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")
_MODEL_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
model_seconds = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "How long calls of a model took; `error_type` is empty where it answered.",
    (*_MODEL, "error_type"),
    buckets=_MODEL_SECONDS,
)
model_first_seconds = Histogram(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "How long it took until a language model began to answer.",
    _MODEL,
    buckets=_MODEL_SECONDS,
)
model_tokens = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of each call of a model, in (`input`) and out (`output`).",
    (*_MODEL, "gen_ai_token_type"),
    buckets=tuple(4.0**power for power in range(14)),
)
model_dollars = Counter("repostream_model_cost_usd", "What calls of models cost, by the prices set.", _MODEL)
model_circuit = Gauge(
    "repostream_model_circuit",
    "Whether a model is called: 0 closed (it is), 1 half-open, 2 open (it is not).",
    ("model",),
)
cache_lookups = Counter(
    "repostream_cache_lookups",
    "What was looked for among things kept in memory: hit, shared (being made for somebody else), miss.",
    ("cache", "outcome"),
)
process_rss = Gauge("repostream_rss_bytes", "Resident memory of this service with its child processes.")


def resident_bytes() -> int:
    """Resident memory of this process and its descendants; what they share counts once for each."""
    total = 0
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
    return total


process_rss.set_function(resident_bytes)


class MeasureRequests:
    """ASGI middleware that fills `repostream_http_request_seconds`. Streams count until their first byte."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only HTTP is measured."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "unmatched")
                status = f"{message['status'] // 100}xx"
                http_seconds.labels(scope["method"], route, status).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, measured)
