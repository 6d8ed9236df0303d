"""What a repository says of its own files: `.repostreamignore`, `.gitattributes`, and `.gitignore` where nothing says
which files are tracked. Pure; git's own answers are the yardstick (`git check-ignore`, `git check-attr`)."""
