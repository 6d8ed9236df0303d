"""The web page. Speaks only HTTP to the orchestrator."""
