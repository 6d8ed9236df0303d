"""The typed client of the API: what pages, commands and other people's programs call it with.

`shapes.py` and `operations.py` are made from the API's own description by `make client`; `client.py` carries them.
"""

from runtime.client.client import ApiError, Client, ServerSent

__all__ = ["ApiError", "Client", "ServerSent"]
