"""The caretaker: status, supervision and everything that must work when the others do not."""
