"""Graph to derivative: pullbacks, pushforwards, and the rewrites that keep them accurate."""
