"""What `make.py` makes the sample documents with."""
