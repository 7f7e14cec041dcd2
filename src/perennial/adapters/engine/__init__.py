"""The engine on Dask: batches, fits and training as tasks of a cluster, which give the bytes that
they give here; only training by rows can't promise that (docs/more-machines.md)."""
