"""One file a DVC stage: load, compute, save."""
