"""What spikesim is measured against, and how: run by `make bench`, read by nothing else."""
