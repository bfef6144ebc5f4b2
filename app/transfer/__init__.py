"""Quick transfers: a file from one place to another, changed on the way if that is wanted, without touching people."""
