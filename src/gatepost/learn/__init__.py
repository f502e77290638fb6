"""PURE: the classifier's arithmetic: features, the model, how it learns, how it explains itself."""
