"""Traces over OpenTelemetry: sent nowhere unless a collector is configured.

A span has what the code that begins it names, and nothing else: no exception's text, no question, no file.
"""

import re

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def configure_tracing(service: str, url: str) -> TracerProvider | None:
    """Send this process's spans to the collector at `url` (OTLP over gRPC); None where it is empty.

    Whoever calls shuts the provider down at the end, which sends what is left.
    """
    if not url:
        return None
    # Imported late: it takes tens of megabytes, and most installations send nothing.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=5)))
    trace.set_tracer_provider(provider)
    return provider


def context_of(traceparent: str | None) -> Context:
    """The trace that an event belongs to, as W3C's `traceparent` has it; a new one where it names none."""
    match = _PARENT.fullmatch(traceparent or "")
    if match is None:
        return Context()
    trace_id, span_id, flags = (int(part, 16) for part in match.groups())
    parent = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())
