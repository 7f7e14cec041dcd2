"""A batch that comes in: what only other batches show of it, what its checks found, the labels that
came later, and the columns that no later stage may see."""
