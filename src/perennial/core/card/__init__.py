"""The model card: what it says, and the artefact behind each sentence."""
