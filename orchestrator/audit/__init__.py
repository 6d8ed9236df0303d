"""Who did what, from where, with which proof, and what became of it: what is recorded, and the way to the table."""
