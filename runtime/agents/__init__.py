"""What programs that work with repositories (editors, agents) are offered over the Model Context Protocol.

The tools ask the API over HTTP with the credential of whoever uses them, so that sign-in, scopes, tenants, limits and
the audit trail are the API's own. `server` alone knows the protocol.
"""
