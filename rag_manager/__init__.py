"""The index: embed, generations, search. Owns Chroma and the embedding models."""
