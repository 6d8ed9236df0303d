"""What a repository is, told from facts alone: the same facts give the same words, every statement with its lines."""
