"""What the index's stages do: fetch artifacts, call the pure stages and the ports, and say what is to be recorded."""
