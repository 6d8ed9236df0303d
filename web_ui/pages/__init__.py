"""The pages, thin: fetch, turn into what is drawn, draw."""
