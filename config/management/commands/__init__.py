"""`manage.py protocol`: TypeScript from the messages."""
