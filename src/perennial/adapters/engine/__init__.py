"""Where fits run: worker processes of this machine, its devices, or the tasks of a Dask cluster.

All give the same bytes; only training by rows can't promise that (docs/more-machines.md)."""
