"""How the quick model's token table came to be: packages → texts → the full model's vectors → regression → verdict."""
