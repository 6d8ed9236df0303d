"""One module an ecosystem: its parsers, and `FORMATS`, the table of which file each of them reads."""
