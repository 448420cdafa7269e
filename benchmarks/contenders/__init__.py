"""Whoever is measured: one class a contender, each run by `benchmarks.worker` in a process, and where need be an interpreter, of its own."""

from benchmarks.contenders.contender import Action, Contender, find

__all__ = ["Action", "Contender", "find"]
