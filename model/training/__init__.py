"""Training like the paper: recipes, losses, and a loop that runs on one process or many."""
