"""What the index computes, as pure functions: tokens, rankings, passages, which generation serves."""
