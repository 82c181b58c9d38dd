"""The meeting file: vocabulary, schema and migrations, every write, and the shared read views.

This room imports no other room of the house.
"""
