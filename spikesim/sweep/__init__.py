"""Many points (models and settings): what to run (spec), what is done (store), and running the rest (run)."""
