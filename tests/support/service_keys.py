"""Keys of services, for tests that call from one to another."""

from runtime.service_tokens import ServiceSigner, ServiceVerifier, new_service_key, public_key_of, written

KEYS = {name: new_service_key() for name in ("orchestrator", "processor", "ai_engine", "rag_manager", "web_ui")}
PUBLIC_KEYS = written({name: public_key_of(key) for name, key in KEYS.items()})


def signer(name: str) -> ServiceSigner:
    """What the service `name` signs its calls with."""
    return ServiceSigner(name, KEYS[name])


def verifier(name: str) -> ServiceVerifier:
    """What the service `name` knows its callers by."""
    return ServiceVerifier(name, PUBLIC_KEYS)
