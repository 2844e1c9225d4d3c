"""Writers: one file format a module."""
