"""Requests a second and what they cost, for requestx and its peers: see docs/benchmarks.md."""
