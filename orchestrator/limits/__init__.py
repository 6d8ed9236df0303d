"""How much may be asked for: rules, and what a window of requests leaves. Pure; the counting is done by adapters."""
