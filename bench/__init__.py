"""Measures Gatepost beside Postfix and Haraka on the machine it runs on; see README.md.

Nothing here is installed with the package. It needs root (to install peers, to give each server a
cgroup) and a clone with `.venv`; what it fetches and makes lies in `bench/.work`, which git ignores.
"""
