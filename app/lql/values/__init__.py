"""The values of the mapping language: how they are read, dated and matched."""
