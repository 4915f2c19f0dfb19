"""Real training, where the theory's noise was not simulated: run by `make training`, read by nothing else."""
