"""What the stages reach the world through: git, archives, child processes."""
