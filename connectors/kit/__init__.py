"""What providers share: the types of the contract with the engine, errors, times, file formats and places."""
