"""Who is asking. A provider turns a request into an identity; here it is the one person of this machine."""
