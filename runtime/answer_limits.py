"""What one call of a model may be given and may say: the assistant keeps to it, and quotas are reserved by it."""

PASSAGE_CHARACTERS = 28_000  # about 7,000 tokens of prose, which every current model takes
HISTORY_TOKENS = 3_000  # of earlier turns: the longest answer that a model gives, its question, and some more
REPLY_TOKENS = 2_048
REPLY_WITH_THOUGHTS = 8_192  # where what a model thinks counts, and nobody sees it
