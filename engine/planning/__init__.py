"""From a request, a model card and a machine to a plan; pure."""
