"""Webhooks: what other services are told, and what became of each message. For owners of a tenant."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import DeliveryView, WebhookChange, WebhookRequest, WebhookView
from web_ui import markup, programs
from web_ui.components import cards, frame, notices
from web_ui.session import attempt, client, name, owns, zone

_SHOWN = 20
_OFF = "What waits for it is kept, and sent when it is switched on again."
_ON = "What waits for it is sent now."


def make() -> None:
    """The form for a new webhook; its secret where one was made."""
    events = list(programs.EVENTS)
    with st.form("new-webhook", clear_on_submit=True, enter_to_submit=False):
        url = st.text_input("Address", placeholder="https://hooks.example.com/repostream", max_chars=2_000)
        chosen = st.multiselect("Told when", events, events, format_func=programs.EVENTS.__getitem__)
        submitted = st.form_submit_button("Add a webhook", type="primary")
    if not submitted:
        return
    if not url.strip() or not chosen:
        notices.empty("A webhook needs an address and something to be told of.", "The address begins with https://")
        return
    wanted = WebhookRequest.model_validate({"url": url.strip(), "events": chosen})
    made = attempt(lambda: client().webhooks_create(wanted))
    if made is not None:
        cards.secret("The secret that its messages are signed with", made.secret)


def card(webhook: WebhookView, now: datetime) -> None:
    """One webhook with what can be done, and its deliveries where they are wanted."""
    of = webhook.webhook_id
    with st.container(border=True, key=f"card-{of}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            cards.begin(webhook.url, programs.webhook_facts(webhook, now, zone()), programs.webhook_state(webhook))
            cards.confirmed(
                "Switch off" if webhook.enabled else "Switch on",
                key=f"switch-{of}",
                warning=_OFF if webhook.enabled else _ON,
                do=lambda: client().webhooks_change(of, WebhookChange(enabled=not webhook.enabled)),
            )
            cards.confirmed(
                "Remove",
                key=f"remove-{of}",
                warning="What it was told, and what waits for it, is forgotten.",
                do=lambda: client().webhooks_remove(of),
            )
        if st.toggle("Deliveries", key=f"deliveries-{of}"):
            deliveries(of, now)


def deliveries(webhook_id: str, now: datetime) -> None:
    """The newest messages to a webhook."""
    page = attempt(lambda: client().webhooks_deliveries(webhook_id, limit=_SHOWN))
    if page is None:
        return
    if not page.items:
        notices.empty("It was told nothing yet.", "The next analysis that ends brings something.")
    for each in page.items:
        delivery(webhook_id, each, now)


def delivery(webhook_id: str, shown: DeliveryView, now: datetime) -> None:
    """One message, with the button that sends it again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        cards.begin(shown.type, programs.delivery_facts(shown, now), programs.delivery_state(shown))
        if shown.state != "pending":
            cards.confirmed(
                "Send again",
                key=f"again-{shown.delivery_id}",
                warning=f"With the same id ({shown.delivery_id}), so that it can be told from a new one.",
                do=lambda: client().webhooks_redeliver(webhook_id, shown.delivery_id),
            )
    last = shown.log[-1] if shown.log else None
    if last is not None and shown.state != "delivered" and last.answer:
        st.html(f'<div class="rs-facts">It said: {markup.span("code", last.answer[:300])}</div>')


def show() -> None:
    """Draw the page."""
    frame.top()
    if name() is None:
        notices.empty("There is no sign-in here.", "Webhooks of this machine are made by the API.")
        return
    if not owns():
        notices.empty("There is no such page for you.", "Webhooks are for owners of a tenant.")
        return
    now = datetime.now(zone())
    st.html(
        '<h1 class="rs-hero">Webhooks</h1>'
        '<p class="rs-lead">Other services are told when an analysis is ready, complete or failed: signed, sent again '
        "until they say that they have it.</p>"
    )
    make()
    page = attempt(client().webhooks_webhooks)
    for webhook in page.items if page is not None else ():
        card(webhook, now)


show()
