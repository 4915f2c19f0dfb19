"""Stages of pipelines, one kind a file; named.py has them all."""
