"""One page of HTML from stored results: gathered, judged and drawn, never simulated."""
