"""The live show: chat in, questions chosen, a director on a run-sheet, an avatar on the stage."""
