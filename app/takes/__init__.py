"""Takes: what was reconstructed over time, recorded, kept and edited; no widgets."""
