"""Chat of the platforms: one file per platform, one envelope for all (DESIGN §6)."""
