"""What the manifests of each ecosystem say: dependencies, names, entry points. Pure; nothing is ever executed."""
