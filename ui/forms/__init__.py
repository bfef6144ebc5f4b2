"""Forms made from what a provider.yaml says."""
