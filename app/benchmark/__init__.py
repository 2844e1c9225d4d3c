"""What the benchmarks of `pointhmr benchmark` consist of."""
