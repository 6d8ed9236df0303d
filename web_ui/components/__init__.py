"""Parts that several pages draw. Those that run in the browser keep their script and style beside them."""
