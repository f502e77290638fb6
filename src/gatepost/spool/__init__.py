"""Where message bytes lie, and one rule for when they are safe."""
