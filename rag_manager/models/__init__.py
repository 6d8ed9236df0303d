"""The local embedding models: where their files come from, how they are built, what they are called.

`build.ensure_models(folder)` makes the folder complete; `adapters.static_table.load_quick(folder)` and
`adapters.onnx_model.load_full(folder)` turn it into the two `Embedder`s.
"""
