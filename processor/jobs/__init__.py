"""One job a stage: it fetches what the stage reads, calls it, and says what came of it."""
