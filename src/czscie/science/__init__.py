"""`czscie-science`: what calls `science` to build a scie calls this instead, and changes nothing else."""
