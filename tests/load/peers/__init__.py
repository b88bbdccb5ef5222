"""What the benchmarks are made of: servers in processes of their own, and the load that they carry."""
