"""What is known about languages: their names, how a path is classed, and where a grammar finds what it defines."""
