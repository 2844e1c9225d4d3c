"""A fast renderer of clothed people with labels, and the free assets that it draws."""
