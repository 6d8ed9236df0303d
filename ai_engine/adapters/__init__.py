"""What the ports are in the world: OpenAI's and Anthropic's wire formats, and rag_manager over HTTP."""
