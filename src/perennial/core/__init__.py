"""Pure functions: arrays and frames in, values out. No files, environment, clock or network."""
