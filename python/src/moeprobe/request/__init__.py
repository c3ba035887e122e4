"""Requests: reading them strictly, and writing them again."""
