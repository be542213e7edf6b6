"""What all layers of tests share."""
