"""From the champion and the batches that came to what is to be done, and to the plan of it."""
