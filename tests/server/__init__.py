"""Scripted servers for the tests, and the words to drive them from a test."""
