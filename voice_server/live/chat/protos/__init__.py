"""Wire formats of other people's servers; the Python is made by ``scripts/dev/make_protos``."""
