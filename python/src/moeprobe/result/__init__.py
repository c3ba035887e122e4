"""Results: arrays with named dimensions, means, and files."""
