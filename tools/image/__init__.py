"""The container image without a container engine: built from its Dockerfile, and tried."""
