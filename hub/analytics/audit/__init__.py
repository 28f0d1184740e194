"""Recomputes every figure of a show from raw orders and events, and says where the two differ.

Nothing in here shares a query or a formula with the figures it checks: rows are read whole, and added up in
plain Python.
"""
