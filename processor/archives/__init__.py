"""Read an uploaded archive member by member, in a process of its own: nothing of it is ever written under its name."""
