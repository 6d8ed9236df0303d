"""The stages that read a repository: clone, metadata, structure, parse."""
