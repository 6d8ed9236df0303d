"""Teams: the one that is worked in, with its members, invitations and links; and the way to make another."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import (
    InvitationRequest,
    InvitationView,
    MemberView,
    RoleChange,
    TenantRequest,
    TenantView,
)
from web_ui import markup
from web_ui.components import cards, frame, leaving, notices, share
from web_ui.session import attempt, client, may_share, name, owns, renew, tenants, work_in, zone
from web_ui.words import ago, moment

_ROLES = {
    "viewer": "viewer: looks",
    "member": "member: analyses and asks",
    "owner": "owner: also looks after members",
}
_OWN_ROLE = "You are no owner any more then: only another owner can make you one again."
_DAYS = {1: "a day", 7: "a week", 30: "30 days"}
_SHOWN = 100


def make() -> None:
    """The form for a new team; working there is what follows."""
    st.html('<h2 class="rs-section">Make a team</h2>')
    with st.form("new-team", clear_on_submit=True):
        title = st.text_input("Name of the team", max_chars=80)
        submitted = st.form_submit_button("Make it", type="primary")
    if submitted and title.strip():
        made = attempt(lambda: client().tenants_create(TenantRequest(name=title.strip())))
        if made is not None:
            work_in(made.tenant_id)


def member(team: TenantView, each: MemberView) -> None:
    """One member; for owners with role and removal."""
    with st.container(border=True, key=f"card-{each.user_id}", horizontal=True, vertical_alignment="center"):
        facts = [each.login, "you" if each.you else "", f"since {each.since:%d %B %Y}"]
        cards.begin(each.name or each.login, facts, None if owns() else (each.role, "calm"))
        if not owns():
            return
        chosen = st.selectbox(
            "Role",
            _ROLES,
            list(_ROLES).index(each.role),
            format_func=_ROLES.__getitem__,
            key=f"role-{each.user_id}-{each.role}",
            label_visibility="collapsed",
            width=250,
        )
        if each.you:
            if chosen != each.role:
                cards.confirmed(
                    f"Become {chosen}", key="demote", warning=_OWN_ROLE, do=lambda: _change(team, each, chosen)
                )
            return
        if chosen != each.role and attempt(lambda: _change(team, each, chosen)):
            st.rerun()
        else:
            cards.confirmed(
                "Remove",
                key=f"remove-{each.user_id}",
                warning="Within five seconds they are out, with their keys and links. What they had analysed stays.",
                do=lambda: client().members_remove(each.user_id, team.tenant_id),
            )


def _change(team: TenantView, each: MemberView, role: str) -> bool:
    client().members_change(each.user_id, team.tenant_id, RoleChange.model_validate({"role": role}))
    renew()
    return True


def invite(team: TenantView) -> None:
    """The form for an invitation, and those that are open."""
    st.html('<h2 class="rs-section">Invitations</h2>')
    with st.form("invite", clear_on_submit=True):
        left, middle, right = st.columns((2, 2, 1))
        role = left.selectbox("As", _ROLES, 1, format_func=_ROLES.__getitem__)
        login = middle.text_input("Only for this login", placeholder="whoever has the link", max_chars=100)
        days = right.selectbox("Valid for", _DAYS, 1, format_func=_DAYS.__getitem__)
        submitted = st.form_submit_button("Make an invitation", type="primary")
    if submitted:
        given = {"role": role, "login": login.strip() or None, "expires_in_days": days}
        wanted = InvitationRequest.model_validate(given)
        made = attempt(lambda: client().invitations_make(team.tenant_id, wanted))
        if made is not None:
            cards.secret("The invitation, good once", made.url)
    page = attempt(lambda: client().invitations_listed(team.tenant_id, limit=_SHOWN))
    for each in page.items if page is not None else ():
        if each.state == "open":
            invitation(team, each)


def invitation(team: TenantView, each: InvitationView) -> None:
    """One open invitation, with its button."""
    with st.container(border=True, key=f"card-{each.invitation_id}", horizontal=True, vertical_alignment="center"):
        facts = [f"made {ago(each.created_at, datetime.now(zone()))}", f"until {moment(each.expires_at, zone())}"]
        cards.begin(f"For {each.login}" if each.login else "For whoever has the link", facts, (each.role, "calm"))
        cards.confirmed(
            "Take back",
            key=f"revoke-{each.invitation_id}",
            warning="Nobody can join by it any more.",
            do=lambda: client().invitations_revoke(each.invitation_id, team.tenant_id),
        )


def links() -> None:
    """The open sharing links of the tenant."""
    page = attempt(lambda: client().shares_listed(limit=_SHOWN))
    if page is None or not page.items:
        return
    st.html('<h2 class="rs-section">Sharing links</h2>')
    for each in page.items:
        share.row(each, f"{each.kind} {each.resource_id[:8]}")


def settings(team: TenantView) -> None:
    """Another name, and the way out."""
    if owns():
        with st.form("rename"):
            title = st.text_input("Name", team.name, max_chars=80)
            renamed = st.form_submit_button("Rename")
        if renamed and attempt(lambda: client().tenants_rename(team.tenant_id, TenantRequest(name=title))) is not None:
            renew()
            st.rerun()
    cards.confirmed(
        "Leave the team",
        key="leave",
        warning="Your keys and links in it end. Somebody has to invite you to come back.",
        do=lambda: _leave(team),
    )


def _leave(team: TenantView) -> None:
    client().members_leave(team.tenant_id)
    renew()


def show() -> None:
    """Draw the page."""
    frame.top()
    if name() is None:
        notices.empty("There is no sign-in here.", "Teams are for installations where people sign in.")
        return
    leaving.deleted_team()
    current = next((each for each in tenants() if each.current), None)
    if current is None or current.personal:
        st.html(
            '<h1 class="rs-hero">Teams</h1><p class="rs-lead">You work on your own at the moment: nobody else sees it. '
            "In a team, all that is analysed and asked is everybody's.</p>"
        )
    else:
        st.html(f'<h1 class="rs-hero">{markup.text(current.name)}</h1><h2 class="rs-section">Members</h2>')
        page = attempt(lambda: client().members_listed(current.tenant_id))
        for each in page.items if page is not None else ():
            member(current, each)
        if owns():
            invite(current)
    if may_share():
        links()
    if current is not None and not current.personal:
        st.html('<h2 class="rs-section">This team</h2>')
        settings(current)
        if owns():
            leaving.delete_team(current)
    make()


show()
