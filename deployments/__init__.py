"""When it is done: what `prefect.yaml` presumes."""
