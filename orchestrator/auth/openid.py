"""Sign-in with any OpenID Connect provider that has a discovery document (Keycloak, Entra ID, Google, …)."""

from authlib.integrations.starlette_client import StarletteOAuth2App

from orchestrator.auth.providers import (
    CLIENT,
    NOT_INVITED,
    Away,
    Invited,
    Profile,
    Refusal,
    exchange,
    plain,
    send_away,
    understood,
)

_SIGNED = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_ALGORITHMS = "id_token_signing_alg_values_supported"
_MOST_SUBJECT = 255  # characters, by the standard


class OpenId:
    """See `Provider`."""

    name = "oidc"

    def __init__(self, issuer: str, client_id: str, client_secret: str, label: str, invited: Invited) -> None:
        """`issuer` is the address whose `/.well-known/openid-configuration` describes the provider."""
        self.label = label
        self.issuer = issuer
        self._client_id = client_id
        self._invited = invited
        self._app = StarletteOAuth2App(
            None,
            self.name,
            client_id=client_id,
            client_secret=client_secret,
            server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={**CLIENT, "scope": "openid profile"},
        )

    async def send_away(self, callback: str) -> Away:
        """As `Provider.send_away`."""
        await self._discover()
        return await send_away(self._app, callback)

    async def who(self, away: Away, code: str, callback: str) -> Profile:
        """As `Provider.who`, by the ID token alone."""
        await self._discover()
        async with understood("oidc"):
            token = await exchange(self._app, away, code, callback)
            expected = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._client_id},
                "nonce": {"essential": True, "value": away.nonce},
            }
            claims = await self._app.parse_id_token(token, nonce=away.nonce, claims_options=expected, leeway=60)
            subject = claims["sub"]  # no ID token: a TypeError
            if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT or not subject.isprintable():
                raise ValueError("no usable subject")
        login = plain(claims.get("preferred_username"), subject)
        if not self._invited.is_anybody and subject not in self._invited.users:
            raise Refusal(NOT_INVITED)
        return Profile(self.name, self.issuer, subject, login, plain(claims.get("name"), login))

    async def _discover(self) -> None:
        """Read the provider's description, once, and believe it only about itself."""
        async with understood("discovery"):
            found = await self._app.load_server_metadata()
            if found.get("issuer") != self.issuer:
                del found["_loaded_at"]  # so that it is read anew once it was put right
                raise ValueError("another issuer's description")
            found[_ALGORITHMS] = sorted(_SIGNED.intersection(found.get(_ALGORITHMS) or ["RS256"]))
