"""The model: what is saved, loaded and served."""
