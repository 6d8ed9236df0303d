"""The read models: folded from the feed, each with a cursor of its own, in schema `app`.

`analyses` and `conversations` are the pure folds; `overview` keeps their rows; `contents` loads what stages wrote into
artifacts; `runner` pulls. All of it can be dropped and built again from events and artifacts.
"""
