"""What a run is made of: the plan of its rows, their features, labels and parts."""
