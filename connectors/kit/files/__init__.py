"""Files that jobs read and write: which ones, in what form, and under what names."""
