"""The words that every room shares; imports no other room."""
