"""Pure steps of an answer, a file each."""
