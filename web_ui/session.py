"""What the pages share: the client of this process, and the state that the address bar holds."""

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisView, ConfigView, Problem, TenantView, UserView
from runtime.service_tokens import ServiceSigner
from web_ui.components import browser
from web_ui.components.notices import empty, failure, problem
from web_ui.sign_in import COOKIE, Entrance, Token, Way

T = TypeVar("T")
_parts: list[tuple[Client, Entrance]] = []
_TOKEN, _ME = "sign-in-token", "me"
_TENANTS, _LINK, _TOLD = "tenants", "sharing-link", "told-before"
_REMEMBERED, _MINUTE = "remembered", 60.0  # seconds
_ADMIN, _OWNER, _WRITE = "admin", "owner", "write:analysis"


def use(client: Client, entrance: Entrance) -> None:
    """Make these the ones that all sessions of this process use."""
    _parts[:] = [(client, entrance)]


def client() -> Client:
    """The client that `app.make_app` was given; it asks `authorization` for each request."""
    return _parts[0][0]


def look_by(link: str | None) -> None:
    """From now on, ask with a sharing link in place of whoever is signed in; None ends it."""
    st.session_state[_LINK] = link


def on_behalf(signer: ServiceSigner | None) -> dict[str, str]:
    """Headers that say for whose address the pages ask, and that it is the page server who says so."""
    own = signer.on_behalf("orchestrator") if signer is not None else {}
    if not st.context.headers:  # nobody's page
        return own
    peer = st.context.ip_address or "127.0.0.1"  # Streamlit says None for loopback
    return own | {"X-Forwarded-For": ", ".join((*st.context.headers.get_all("X-Forwarded-For"), peer))}


def authorization() -> str | None:
    """The header by which whoever's page this is may ask; None in local mode. Raises ApiError."""
    if link := st.session_state.get(_LINK):
        return f"Bearer {link}"
    entrance = _parts[0][1]
    token = _token(entrance) if entrance.ways() else None
    return f"Bearer {token.access_token}" if token is not None else None


def whose() -> str:
    """For whom alone answers are kept: the browser's session or the link that is looked at; all of one in local mode.

    Each that signs in has another session; what of it still holds the API says, to the token that is shown.
    """
    shown = st.session_state.get(_LINK) or st.context.cookies.get(COOKIE, "")
    return hashlib.sha256(shown.encode()).hexdigest()


def ways_in() -> tuple[Way, ...]:
    """The ways to sign in, where somebody has to; none where they did, or in local mode. Raises ApiError."""
    entrance = _parts[0][1]
    ways = entrance.ways()
    return () if not ways or _token(entrance) is not None else ways


def me() -> UserView | None:
    """Who is here, asked anew with each token; None where that cannot be asked at the moment."""
    try:
        shown = authorization()
        known, by = st.session_state.get(_ME, (None, None))
        if known is None or by != shown:
            known = client().installation_me()
            st.session_state[_ME] = (known, shown)
    except ApiError:
        return None
    return known if isinstance(known, UserView) else None


def name() -> str | None:
    """Who is signed in; None in local mode, and where that cannot be asked at the moment."""
    who = me()
    return who.name if who is not None and not who.local else None


def administrates() -> bool:
    """Whether whoever is here may do what is for administrators; in local mode, the one person may."""
    who = me()
    return who is not None and _ADMIN in who.scopes


def offers() -> ConfigView:
    """What this installation offers. Raises ApiError."""
    return remembered("offered", lambda: client().installation_config())


def remembered(name: str, ask: Callable[[], T]) -> T:
    """What `ask` gave a session at most a minute ago, where it changes seldom: else it is asked. Raises what it does.

    `name` says all that it depends on, beside whoever is here.
    """
    now = time.monotonic()
    kept = {of: found for of, found in st.session_state.get(_REMEMBERED, {}).items() if found[1] > now}
    if name not in kept:
        kept[name] = (ask(), now + _MINUTE)
    st.session_state[_REMEMBERED] = kept
    return cast("T", kept[name][0])


def tenants() -> list[TenantView]:
    """The tenants of whoever is signed in, asked anew with each token; none in local mode."""
    try:
        shown = authorization()
        known, by = st.session_state.get(_TENANTS, (None, None))
        if known is None or by != shown:
            known = client().tenants_mine().items if shown is not None else []
            st.session_state[_TENANTS] = (known, shown)
    except ApiError:
        return []
    return list(known)


def work_in(tenant_id: str) -> None:
    """Switch to another tenant, and to its start page."""
    if attempt(lambda: client().tenants_switch(tenant_id)) is not None:
        renew()
        st.switch_page("pages/start.py")


def renew() -> None:
    """Give up what is known of whoever is here: it was changed just now."""
    for name in (_TOKEN, _ME, _TENANTS, _REMEMBERED):
        st.session_state.pop(name, None)


def may_write() -> bool:
    """Whether whoever is here may have something analysed: a viewer may not."""
    who = me()
    return who is None or _WRITE in who.scopes


def may_share() -> bool:
    """Whether whoever is here may make sharing links; nobody in local mode, where there is nobody to share with."""
    who = me()
    return who is not None and not who.local and _WRITE in who.scopes


def owns() -> bool:
    """Whether whoever is here is an owner of the tenant that they work in."""
    who = me()
    return who is not None and who.role == _OWNER


def _token(entrance: Entrance) -> Token | None:
    """The token of the browser's session, renewed where its end is near. The cookie is that of the page's loading."""
    token = entrance.token(st.context.cookies.get(COOKIE, ""), st.session_state.get(_TOKEN))
    st.session_state[_TOKEN] = token
    return token


def _is_signed_out() -> bool:
    """Whether the session ended while its page was open; its token is given up."""
    st.session_state.pop(_TOKEN, None)
    try:
        return bool(ways_in())
    except ApiError:
        return False


def _is_another_now() -> bool:
    """Whether the role changed while the page was open; what was known of it is given up."""
    before = me()
    renew()
    now = me()
    return before is not None and now is not None and (before.role, before.scopes) != (now.role, now.scopes)


def told_before() -> Problem | None:
    """The problem that had the page drawn anew, once."""
    told = st.session_state.pop(_TOLD, None)
    return told if isinstance(told, Problem) else None


def parameter(name: str) -> str | None:
    """One parameter of the page's address."""
    value = st.query_params.get(name)
    return value or None


def zone() -> tzinfo:
    """Where the viewer is, as their browser says; UTC where it does not, or says a zone that nobody knows."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def keep(name: str, value: str | None) -> None:
    """Have the page's address say `value`, so that a reload, a link and the way back come to the same sight."""
    if not value:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def attempt(ask: Callable[[], T]) -> T | None:
    """What `ask` gives; None, and the problem shown in its place, where the API refuses."""
    try:
        return ask()
    except ApiError as error:
        if error.problem.code == "forbidden" and _is_another_now():
            st.session_state[_TOLD] = error.problem
            st.rerun()  # into the page as it is for the role of now
        if error.problem.code != "not_signed_in":
            problem(error.problem)
            return None
        if _is_signed_out():
            st.rerun()  # into the page for whoever is not signed in
    return _again(ask)


def _again(ask: Callable[[], T]) -> T | None:
    """As `attempt`, with the token that took the place of one that ended: the session works elsewhere by now."""
    try:
        return ask()
    except ApiError as error:
        problem(error.problem)
        return None


_CUT_OFF = "The address may be cut off: copy it again, or pick an analysis on the start page."


def chosen_analysis() -> AnalysisView | None:
    """The analysis that the address names; None, and a notice shown, where there is none.

    Where the API was away the page comes by itself once it is back.
    """
    analysis_id = parameter("analysis")
    if analysis_id is None:
        empty("No analysis is chosen.", "Start one, or pick a recent one on the start page.")
        return None
    if not _is_id(analysis_id):
        failure("There is no such analysis", _CUT_OFF, "analysis_not_found")
        return None
    found = attempt(lambda: client().analyses_one(analysis_id))
    if found is None:
        browser.back(analysis_id)
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
