"""How fast gpersist is, against raw system calls and its peers: `python -m benchmarks.cpu`, `python -m benchmarks.gpu`.

    workloads -> contenders (each in a worker process) -> rounds (round-robin over all of them) -> report (ratios, goals, results)

Nothing here is imported by gpersist; the modules that workers run import gpersist only where it is what they measure, for peers live in interpreters
of their own.
"""
