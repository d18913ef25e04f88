"""Points as text in files."""
