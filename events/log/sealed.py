"""The private fields of an event as the log keeps them: one sealed text in place of all of them. Pure.

In `data` stands `"$sealed": {"by": …, "names": […], "text": …}`: which kinds of subjects it is sealed for, which fields
are in it, and the text; without a text they were erased before they were ever written.
"""

import base64
import json
import os
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic_core import from_json

from events.base import ERASED, Context, Draft, Envelope, Subject
from events.catalog import EVENTS
from events.log.drafts import without_nul

SEALED = "$sealed"
KEY_BYTES = 32
_NONCE = 12
_KINDS = {kind.value[0]: kind for kind in Subject}  # `by` is made of their initials


def private_names(draft: Draft) -> set[str]:
    """The fields of a draft that are to be sealed: those marked as private that say something."""
    event = draft.event
    return {name for name in event.private if getattr(event, name)} if event.private else set()


def subjects_of(draft: Draft) -> tuple[str, ...]:
    """The names of the keys that a draft's private fields are sealed with."""
    return tuple(name for kind in draft.event.belongs_to if (name := _name(kind, draft.context)) is not None)


def subjects_in(envelope: Envelope) -> tuple[str, ...]:
    """The names of the keys that an envelope's sealed text needs; none where it has no text."""
    return tuple(_name(_KINDS[initial], envelope) or "" for initial in _by(envelope))


class Named:
    """`subjects_in` of many envelopes, most of which are sealed for the same ones."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[str, ...]] = {}

    def of(self, envelope: Envelope) -> tuple[str, ...]:
        """As `subjects_in`."""
        key = (_by(envelope), envelope.tenant_id, envelope.repository_id, envelope.user_id)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = subjects_in(envelope)
        return found


def _by(envelope: Envelope) -> str:
    sealed = envelope.data.get(SEALED)
    by = sealed.get("by") if isinstance(sealed, dict) and "text" in sealed else None
    return by if isinstance(by, str) else ""


def _name(kind: Subject, whose: Context | Envelope) -> str | None:
    found = {
        Subject.TENANT: whose.tenant_id,
        Subject.REPOSITORY: whose.repository_id,
        Subject.USER: whose.user_id,
    }[kind]
    return None if found is None else f"{kind.value}/{found}"


def cipher_of(keys: Sequence[bytes], subjects: Sequence[str]) -> AESGCM:
    """The cipher that takes the keys of all `subjects`, in their order."""
    derive = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"repostream event payload 1 " + " ".join(subjects).encode())
    return AESGCM(derive.derive(b"".join(keys)))


def seal_bytes(cipher: AESGCM, name: bytes, content: bytes) -> bytes:
    """`content` sealed, to be opened under the same name alone."""
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, content, name)


def open_bytes(cipher: AESGCM, name: bytes, sealed: bytes) -> bytes:
    """What was sealed. Raises cryptography's InvalidTag where it was changed, or is another's."""
    return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name)


def sealed_payload(draft: Draft, names: set[str], subjects: Sequence[str], cipher: AESGCM | None) -> str:
    """The event as JSON text, its private fields sealed; or left out for good where there is no cipher any more.

    Raises ValueError where it holds NUL.
    """
    public = without_nul(draft, draft.event.model_dump_json(exclude=names))
    sealed: dict[str, object] = {"names": sorted(names)}
    if cipher is not None:
        private = without_nul(draft, draft.event.model_dump_json(include=names)).encode()
        text = base64.b64encode(seal_bytes(cipher, draft.event_id.bytes, private)).decode()
        sealed |= {"by": "".join(subject[0] for subject in subjects), "text": text}
    comma = "" if public == "{}" else ","
    return f'{public[:-1]}{comma}"{SEALED}":{json.dumps(sealed)}}}'


def opened(envelope: Envelope, cipher: AESGCM | None) -> Envelope:
    """The envelope with its private fields; with what they read as once erased where there is no cipher.

    Raises cryptography's InvalidTag where the text was changed, or belongs to another event.
    """
    data = dict(envelope.data)
    sealed = data.pop(SEALED)
    if not isinstance(sealed, dict):
        return envelope
    if cipher is not None and "text" in sealed:
        private = open_bytes(cipher, envelope.event_id.bytes, base64.b64decode(sealed["text"]))
        return envelope.with_data(data | from_json(private))
    cls = EVENTS.get(envelope.event_type)
    reads_as = cls.private if cls is not None else {}
    names = tuple(str(name) for name in sealed["names"])
    gone = {name: _as_json(reads_as.get(name, ERASED)) for name in names}
    return envelope.with_data(data | gone, names)


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, dict) else value
